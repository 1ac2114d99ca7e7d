package dev.panamoe.cli;

import java.util.List;

/// Token ids as options give them.
final class TokenIds {
    /// What stands between ids: a comma, blanks, or both.
    static final String SEPARATOR = "\\s*[,\\s]\\s*";

    private TokenIds() {}

    static int[] array(List<Integer> ids) {
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }
}
