package dev.panamoe.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Columns that line up: texts to the left, numbers to the right.
final class Table {
    private final String layout;
    private final List<List<String>> rows = new ArrayList<>();

    /// @param layout one letter a column: `l` left, `r` right
    Table(String layout) {
        this.layout = layout;
    }

    Table row(String... cells) {
        if (cells.length != layout.length()) {
            throw new IllegalArgumentException(cells.length + " cells in " + layout.length() + " columns");
        }
        rows.add(List.of(cells));
        return this;
    }

    void print(Sink sink, String indent) {
        int[] widths = new int[layout.length()];
        for (List<String> row : rows) {
            for (int c = 0; c < widths.length; c++) {
                widths[c] = Math.max(widths[c], width(row.get(c)));
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder(indent);
            for (int c = 0; c < widths.length; c++) {
                String pad = " ".repeat(widths[c] - width(row.get(c)));
                line.append(c == 0 ? "" : "  ");
                line.append(layout.charAt(c) == 'r' ? pad + row.get(c) : row.get(c) + pad);
            }
            sink.println(line.toString().stripTrailing());
        }
    }

    private static int width(String cell) {
        return cell.codePointCount(0, cell.length());
    }

    /// `5.4 MiB`.
    static String size(long bytes) {
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
    }
}
