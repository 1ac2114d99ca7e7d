package dev.panamoe.gguf;

import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;

/// Says what a file without the GGUF magic seems to be, so that the message can name the remedy.
final class ForeignFormat {
    private static final int LOOKED_AT = 256;

    private ForeignFormat() {}

    /// What to say after the file's name.
    static String explain(MemorySegment file) {
        byte[] head = file.asSlice(0, Math.min(LOOKED_AT, file.byteSize())).toArray(ValueLayout.JAVA_BYTE);
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (text.startsWith("PK\3\4")) {
            return "a zip archive (perhaps a PyTorch checkpoint), not a GGUF file; convert the model to GGUF";
        }
        if (file.byteSize() > 9
                && head[8] == '{'
                && Long.compareUnsigned(file.get(LittleEndian.I64, 0), file.byteSize()) < 0) {
            return "a safetensors file, not a GGUF file; convert the model to GGUF";
        }
        if (text.startsWith("\u001f\u008b")) {
            return "gzip-compressed; decompress it first";
        }
        if (text.startsWith("lmgg") || text.startsWith("tjgg") || text.startsWith("fmgg") || text.startsWith("algg")) {
            return "a model file from before GGUF (2023); get a GGUF version of the model";
        }
        if (text.startsWith("version https://git-lfs")) {
            return "a Git LFS pointer, not the model itself; fetch it with 'git lfs pull'";
        }
        String start = text.stripLeading().toLowerCase(Locale.ROOT);
        if (start.startsWith("<!doctype") || start.startsWith("<html")) {
            return "a web page, not a GGUF file; the download went to the wrong address";
        }
        if (isText(head)) {
            return "a text file, not a GGUF file; give the path of a .gguf model";
        }
        String magic = HexFormat.ofDelimiter(" ").formatHex(head, 0, Math.min(4, head.length));
        return "not a GGUF file: it begins with the bytes " + magic + ", expected 47 47 55 46 (\"GGUF\")";
    }

    private static boolean isText(byte[] head) {
        for (byte b : head) {
            if (b >= 0 && b < ' ' && b != '\n' && b != '\r' && b != '\t') {
                return false;
            }
        }
        // a character that the cut split in two decodes to U+FFFD at the very end
        String text = new String(head, StandardCharsets.UTF_8);
        int wrong = text.indexOf('\ufffd');
        return wrong < 0 || (head.length == LOOKED_AT && wrong == text.length() - 1);
    }
}
