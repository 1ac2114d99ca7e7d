package dev.panamoe.grammar;

import dev.panamoe.PanamoeException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// What must hold of any text whatever: it is a grammar or is refused with one line, and a grammar can be followed.
/// Shared by the short and the long fuzz run.
final class GrammarProbe {
    static final List<String> SEEDS = List.of(
            "root ::= \"a\" [b-c]{2,3} (x | \"\\u00e9\")* . # c\nx ::= \"{\" root? \"}\" |\n [^\\n\\]]+\n",
            "root ::= (\"a\"* \"b\"?){0,7} root2\nroot2 ::= \"\" | \"x\" root2 root2",
            "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"string\",\"null\"],\"maxLength\":9},\"b\":{\"enum\":[1,\"x\"]},"
                    + "\"c\":{\"$ref\":\"#/$defs/d\"}},\"required\":[\"a\"],\"additionalProperties\":{\"type\":\"integer\",\"minimum\":-5},"
                    + "\"$defs\":{\"d\":{\"anyOf\":[{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"maxItems\":3},"
                    + "{\"type\":\"number\",\"maximum\":7}]}}}",
            "{\"type\":\"array\",\"items\":{\"type\":\"number\",\"multipleOf\":0.25,\"minimum\":-2.5,\"exclusiveMaximum\":70.125},"
                    + "\"prefixItems\":[{\"type\":\"integer\",\"multipleOf\":7},{\"type\":\"number\",\"minimum\":0.125}]}",
            "{\"type\":\"string\",\"pattern\":\"^(a|[^b-d\\\\s]{2,3})+\\\\.x?$\"}",
            "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\",\"format\":\"date\"}],\"minItems\":1,\"items\":true}");

    private static final byte[] TEXT =
            "{\"a\": \"é漢😀\\n\", \"b\": [1, -2.5e3, null]} aabbccxx".getBytes(StandardCharsets.UTF_8);

    private GrammarProbe() {}

    /// @return whether the text was accepted
    /// @throws AssertionError when anything else happens than success or a refusal
    static boolean probe(String text) {
        boolean grammar = follows(() -> Gbnf.parse(text, "g"));
        boolean schema = follows(() -> JsonSchema.toGrammar(text, "g"));
        return grammar || schema;
    }

    private static boolean follows(java.util.function.Supplier<Grammar> parse) {
        try {
            Grammar grammar = parse.get();
            grammar.matches(TEXT);
            grammar.matches(new byte[] {'a', 'b', 'x'});
            return true;
        } catch (PanamoeException e) {
            String message = String.valueOf(e.getMessage());
            if (!message.startsWith("g: ")
                    || message.length() > 1000
                    || message.codePoints().anyMatch(c -> c < ' ')) {
                throw new AssertionError(message, e);
            }
            return false;
        }
    }
}
