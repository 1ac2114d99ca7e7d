package dev.panamoe.grammar;

import java.util.Map;

/// The values of `format` that can be enforced, as regular expressions: of `email`, `hostname`, `duration` and `ipv6`
/// the usual forms only.
final class StringFormats {
    private static final String DATE = "((\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])"
            + "|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8])))"
            + "|((\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29))";
    private static final String TIME = "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-](0\\d|1[0-7]):[0-5]\\d)";
    private static final String LABEL = "[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?";
    private static final String BYTE = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private static final String WORD = "[A-Za-z0-9_+-]{1,16}";

    static final Map<String, String> PATTERNS = Map.of(
            "date",
            DATE,
            "time",
            TIME,
            "date-time",
            DATE + "T" + TIME,
            "duration",
            "P(\\d{1,4}W|\\d{1,4}D(T\\d{1,4}H)?|T(\\d{1,4}H(\\d{1,4}M)?|\\d{1,4}M(\\d{1,4}S)?|\\d{1,4}S))",
            "email",
            WORD + "(\\." + WORD + "){0,2}@" + LABEL + "(\\." + LABEL + "){0,3}\\.[a-z]{2,18}",
            "hostname",
            LABEL + "(\\." + LABEL + "){0,5}",
            "ipv4",
            BYTE + "(\\." + BYTE + "){3}",
            "ipv6",
            "[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}",
            "uuid",
            "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");

    private StringFormats() {}
}
