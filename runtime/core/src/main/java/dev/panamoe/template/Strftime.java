package dev.panamoe.template;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// Python's `strftime` in the C locale: the directives of C, and `%-d` without padding.
final class Strftime {
    private Strftime() {}

    static String format(String format, LocalDateTime time) {
        var b = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                b.append(c);
                continue;
            }
            boolean bare = format.charAt(i + 1) == '-' && i + 2 < format.length();
            i += bare ? 2 : 1;
            Budget.steps(8);
            String s = directive(format.charAt(i), time);
            b.append(bare ? s.replaceFirst("^[0 ]+(?=.)", "") : s);
            Budget.growing(b.length());
        }
        Budget.text(b.length());
        return b.toString();
    }

    private static String directive(char c, LocalDateTime time) {
        return switch (c) {
            case '%' -> "%";
            case 'n' -> "\n";
            case 't' -> "\t";
            case 'z', 'Z' -> "";
            case 'w' -> String.valueOf(time.getDayOfWeek().getValue() % 7);
            case 'u' -> String.valueOf(time.getDayOfWeek().getValue());
            default -> {
                String pattern = pattern(c);
                yield pattern.isEmpty()
                        ? "%" + c
                        : DateTimeFormatter.ofPattern(pattern, Locale.US).format(time);
            }
        };
    }

    private static String pattern(char c) {
        return switch (c) {
            case 'Y' -> "yyyy";
            case 'y' -> "yy";
            case 'm' -> "MM";
            case 'd' -> "dd";
            case 'e' -> "ppd";
            case 'B' -> "MMMM";
            case 'b', 'h' -> "MMM";
            case 'A' -> "EEEE";
            case 'a' -> "EEE";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'f' -> "SSSSSS";
            case 'p' -> "a";
            case 'j' -> "DDD";
            case 'F' -> "yyyy-MM-dd";
            case 'T', 'X' -> "HH:mm:ss";
            case 'R' -> "HH:mm";
            case 'D', 'x' -> "MM/dd/yy";
            case 'c' -> "EEE MMM ppd HH:mm:ss yyyy";
            default -> "";
        };
    }
}
