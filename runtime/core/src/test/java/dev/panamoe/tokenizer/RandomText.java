package dev.panamoe.tokenizer;

import java.util.Random;
import java.util.stream.Collectors;

/// Seeded texts full of what tokenizers stumble over.
final class RandomText {
    private static final String[] PARTS = String.join(
                    "¦",
                    "a¦b¦Z¦the¦'s¦'ll¦'¦0¦1¦23¦4567¦ ¦  ¦   ¦\t¦\n¦\n\n\n¦\r\n¦\r¦.¦,¦!¦-¦_¦$¦+¦<¦>¦|¦{",
                    "é¦e\u0301¦ß¦Ω¦ж¦א¦ع¦ल¦ि¦ไ¦한¦中¦文字¦ア¦ー¦・¦ひ¦゛¦，¦。¦＇¦Ａ¦①¦½¦²¦٣¦Ⅷ¦…¦—¦“¦€¦°¦▁¦Ġ",
                    "'S¦'Re¦ſ¦ABC¦Word¦mIXED¦ǅ¦ʰ¦ª¦/¦//¦$+¦~",
                    "\u00A0¦\u0085¦\u2028¦\u2003¦\u3000¦\u200B¦\u200D¦\uFEFF¦\u00AD¦\u0000¦\u001C¦\u001B¦\u007F",
                    "\uFFFD¦\uE000¦\u0378¦🙂¦👩\u200D💻¦🇫🇷¦❤\uFE0F¦𝔘¦𠜎¦𐐀¦𝟘",
                    "<bos>¦<think>¦</think>¦<|tool_call>¦<｜User｜>¦<0x0A>¦<b>")
            .split("¦");

    private RandomText() {}

    /// Up to `longest` parts; one in eight is any code point at all.
    static String next(Random random, int longest) {
        StringBuilder text = new StringBuilder();
        int parts = random.nextInt(longest + 1);
        for (int i = 0; i < parts; i++) {
            int c = random.nextInt(Character.MAX_CODE_POINT + 1);
            if (random.nextInt(8) == 0 && Character.getType(c) != Character.SURROGATE) {
                text.appendCodePoint(c);
            } else {
                text.append(PARTS[random.nextInt(PARTS.length)]);
            }
        }
        return text.toString();
    }

    /// The text with its code points, for messages.
    static String show(String text) {
        return text.codePoints().mapToObj(c -> String.format("%04X", c)).collect(Collectors.joining(" "));
    }
}
