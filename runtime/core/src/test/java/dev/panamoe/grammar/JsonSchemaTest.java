package dev.panamoe.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class JsonSchemaTest {
    private static boolean matches(Grammar grammar, String json) {
        return grammar.matches(json.getBytes(StandardCharsets.UTF_8));
    }

    private static Arguments schema(String schema, List<String> valid, List<String> invalid) {
        return Arguments.of(schema.replace('\'', '"'), valid, invalid);
    }

    static List<Arguments> schemas() {
        return List.of(
                schema(
                        "{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'integer'}},"
                                + "'required':['a','b'],'additionalProperties':false}",
                        List.of(
                                "{'a':'x','b':1}",
                                "{'a': 'x', 'b': 1}",
                                "{\n  'a': 'x',\n  'b': 1\n}",
                                "{\n\t'a':'','b':-0}"),
                        List.of(
                                "{}",
                                "{'a':'x'}",
                                "{'b':1,'a':'x'}",
                                "{'a':'x','b':1,'c':2}",
                                "{'a':'x','b':1.5}",
                                "{'a':1,'b':1}",
                                "{'a':'x','b':1} ",
                                "{'a':'x','b':01}",
                                "{'a':'x' ,'b':1}")),
                schema(
                        "{'type':'object','properties':{'a':{'type':'null'},'b':{'type':'null'},'c':{'type':'null'}},"
                                + "'required':['b']}",
                        List.of(
                                "{'b':null}",
                                "{'a':null,'b':null}",
                                "{'b':null,'c':null}",
                                "{'a':null,'b':null,'c':null}"),
                        List.of("{}", "{'a':null}", "{'a':null,'c':null}", "{,'b':null}", "{'b':null,}")),
                schema(
                        "{'properties':{'a':{'type':'null'},'b':{'type':'null'}}}",
                        List.of("{}", "{ }", "{'a':null}", "{'b':null}", "{'a':null,'b':null}"),
                        List.of("{'b':null,'a':null}", "{'c':null}", "{,}")),
                schema(
                        "{'type':'object','properties':{'ab':{'type':'null'},'a':{'type':'null'}},'required':['a'],"
                                + "'additionalProperties':{'type':'integer'}}",
                        List.of("{'a':null}", "{'ab':null,'a':null,'abc':1,'b':2,'':3}", "{'a':null,'é':1}"),
                        List.of("{'a':null,'ab':1}", "{'a':null,'b':null}", "{'x':1}", "{'a':null,'\\u0061b':1}")),
                schema(
                        "{'type':'object','additionalProperties':{'type':'boolean'}}",
                        List.of("{}", "{'x':true,'y':false}"),
                        List.of("{'x':1}")),
                schema("{'type':'object'}", List.of("{}", "{'a':[1,{'b':null}]}"), List.of("[]", "1", "{'a'}")),
                schema(
                        "{}",
                        List.of("{}", "[]", "1", "-1.5e+3", "'x'", "null", "true"),
                        List.of("", "nul", "01", "+1", ".5", "1.", "tru")),
                schema("true", List.of("1"), List.of("")),
                schema(
                        "{'type':'string'}",
                        List.of(
                                "''",
                                "'é漢😀'",
                                "'\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\uD7FF\\ue000'",
                                "'\\''".replace("\\'", "\\\"")),
                        List.of(
                                "'",
                                "'\n'",
                                "'\\x'",
                                "'\\ud83d'",
                                "'\\ude00'",
                                "'\\ud83d\\ud83d'",
                                "'\\u12'",
                                "'\\'",
                                "'\t'")),
                schema(
                        "{'type':'string','minLength':2,'maxLength':4}",
                        List.of("'ab'", "'a\\n漢😀'", "'\\ud83d\\ude00x'"),
                        List.of("''", "'a'", "'abcde'", "'\\ud83d\\ude00'")),
                schema(
                        "{'type':'string','maxLength':40}",
                        List.of("''", "'" + "é".repeat(40) + "'"),
                        List.of("'" + "é".repeat(41) + "'")),
                schema(
                        "{'type':'string','minLength':33}",
                        List.of("'" + "x".repeat(33) + "'", "'" + "x".repeat(99) + "'"),
                        List.of("'" + "x".repeat(32) + "'")),
                schema(
                        "{'type':'string','minLength':17,'maxLength':100}",
                        List.of(
                                "'" + "x".repeat(17) + "'",
                                "'" + "x".repeat(64) + "'",
                                "'" + "x".repeat(65) + "'",
                                "'" + "x".repeat(100) + "'"),
                        List.of("'" + "x".repeat(16) + "'", "'" + "x".repeat(101) + "'")),
                schema(
                        "{'enum':['a',1,null,true,{'x':[1]},'q\\'\\n']}".replace("\\'", "\\\""),
                        List.of("'a'", "1", "null", "true", "{'x':[1]}"),
                        List.of("'b'", "false", "11", "{}")),
                schema("{'type':'string','const':'x'}", List.of("'x'"), List.of("'y'")),
                schema("{'type':['string','null']}", List.of("'x'", "null"), List.of("1")),
                schema("{'type':['integer','number']}", List.of("1", "1.5"), List.of("null")),
                schema(
                        "{'type':'array','items':{'type':'integer'}}",
                        List.of("[]", "[1]", "[1, 2,3]", "[\n  1,\n  2\n]"),
                        List.of("[1,]", "['x']", "[,1]", "[1 2]")),
                schema(
                        "{'type':'array','items':{'type':'null'},'minItems':2,'maxItems':3}",
                        List.of("[null,null]", "[null,null,null]"),
                        List.of("[]", "[null]", "[null,null,null,null]")),
                schema("{'type':'array','maxItems':0}", List.of("[]", "[ ]"), List.of("[1]")),
                schema(
                        "{'type':'array','prefixItems':[{'type':'string'},{'type':'integer'}],'items':{'type':'null'},'maxItems':3}",
                        List.of("[]", "['x']", "['x',1]", "['x',1,null]"),
                        List.of("[1]", "['x',null]", "['x',1,null,null]", "['x',1,2]")),
                schema(
                        "{'type':'array','prefixItems':[{'type':'string'},{'type':'integer'}],'items':false,'minItems':1}",
                        List.of("['x']", "['x',1]"),
                        List.of("[]", "['x',1,1]")),
                schema(
                        "{'type':'integer'}",
                        List.of("0", "-17", "123456789012345678"),
                        List.of("1.0", "1e3", "--1", "")),
                schema(
                        "{'type':'integer','minimum':-13,'maximum':205}",
                        List.of("-13", "-9", "0", "7", "99", "100", "199", "205"),
                        List.of("-14", "-20", "206", "1000", "-0", "00")),
                schema(
                        "{'type':'integer','exclusiveMinimum':0}",
                        List.of("1", "10", "999999999999999999"),
                        List.of("0", "-1", "-0")),
                schema(
                        "{'type':'integer','minimum':0.5,'exclusiveMaximum':3,'multipleOf':1}",
                        List.of("1", "2"),
                        List.of("0", "3")),
                schema(
                        "{'type':'number','minimum':0,'maximum':1}",
                        List.of("0", "1", "0.5", "1.0", "0.0"),
                        List.of("-0.1", "1.01", "2", "-0")),
                schema(
                        "{'type':'number','exclusiveMinimum':-2,'exclusiveMaximum':10}",
                        List.of("-1.9", "-0.5", "0", "9", "9.99", "-1", "5.25"),
                        List.of("-2", "-2.0", "10", "10.0", "-3", "11")),
                schema(
                        "{'type':'number','minimum':-3}",
                        List.of("-3", "-2.5", "-3.0", "1000.25", "0"),
                        List.of("-3.1", "-4")),
                schema(
                        "{'type':'number','exclusiveMinimum':0}",
                        List.of("0.1", "0.001", "1", "2.5"),
                        List.of("0", "0.0", "-1")),
                schema(
                        "{'type':'number','minimum':0.25,'exclusiveMaximum':1.5}",
                        List.of("0.25", "0.250", "0.3", "0.2501", "1", "1.0", "1.4999", "1.0625"),
                        List.of("0.2", "0.2499", "0", "1.5", "1.50", "1.6", "2", "-0.3", "0.")),
                schema(
                        "{'type':'number','exclusiveMinimum':-0.5,'maximum':0.05}",
                        List.of("-0.4", "-0.4999", "-0.01", "0", "0.0", "0.05", "0.050", "0.049"),
                        List.of("-0.5", "-0.50", "-1", "0.06", "0.051", "0.1", "-0", "-0.0")),
                schema(
                        "{'type':'number','minimum':2.125,'maximum':2.13}",
                        List.of("2.125", "2.1250", "2.1251", "2.129", "2.13", "2.130"),
                        List.of("2.12", "2.1", "2", "2.1249", "2.131", "2.2", "3")),
                schema(
                        "{'type':'number','minimum':-7.5,'maximum':-7.5}",
                        List.of("-7.5", "-7.500"),
                        List.of("-7", "-7.51", "7.5")),
                schema(
                        "{'type':'integer','multipleOf':7,'minimum':-20,'maximum':1000}",
                        List.of("-14", "-7", "0", "7", "98", "994"),
                        List.of("-21", "1", "6", "100", "1001", "-0", "07")),
                schema(
                        "{'type':'integer','multipleOf':2.5}",
                        List.of("0", "5", "-10", "999999999999999995"),
                        List.of("2", "2.5", "1", "7")),
                schema(
                        "{'type':'integer','multipleOf':100000,'exclusiveMinimum':0}",
                        List.of("100000", "1200000"),
                        List.of("0", "10000", "100001")),
                schema(
                        "{'type':'number','multipleOf':0.01,'minimum':0}",
                        List.of("0", "12", "12.5", "12.50", "0.07", "0.00", "1234567.89"),
                        List.of("0.001", "12.505", "-1", "00.5", "1.")),
                schema(
                        "{'type':'number','multipleOf':0.25,'exclusiveMinimum':-1,'maximum':3.3}",
                        List.of("-0.75", "-0.5", "0", "0.50", "3.25", "3"),
                        List.of("-1", "-0.7", "0.05", "3.3", "3.5", "-0.00")),
                schema(
                        "{'type':'number','multipleOf':10,'maximum':100}",
                        List.of("-1230", "-10", "0", "100"),
                        List.of("5", "110", "1.0")),
                schema(
                        "{'anyOf':[{'type':'integer'},{'type':'array','items':{'$ref':'#'}}]}",
                        List.of("1", "[]", "[[1],2]"),
                        List.of("[null]")),
                schema(
                        "{'$ref':'#/$defs/n~1ode','$defs':{'n/ode':{'type':'object','properties':{'v':{'type':'integer'},"
                                + "'next':{'anyOf':[{'$ref':'#/$defs/n~1ode'},{'type':'null'}]}},'required':['v','next']}}}",
                        List.of("{'v':1,'next':null}", "{'v':1,'next':{'v':2,'next':null}}"),
                        List.of("{'v':1}", "{'v':1,'next':{}}")),
                schema(
                        "{'$ref':'#/$defs/L%3C%C3%A9%3E','$defs':{'L<é>':{'type':'null'}}}",
                        List.of("null"), List.of("1")),
                schema(
                        "{'type':'string','pattern':'^[A-Z]{2}-\\\\d+$'}",
                        List.of("'AB-1'", "'XY-123'"), List.of("'AB-'", "'ab-1'", "'AB-1x'")),
                schema(
                        "{'type':'string','pattern':'b+|^x$'}",
                        List.of("'abbc'", "'b'", "'x'", "'\\n b'"),
                        List.of("'ac'", "'xx'", "''")),
                schema(
                        "{'type':'string','pattern':'^(?:a|[^b-z\\\\\\\\]|\\\\.)*?$'}",
                        List.of("''", "'a.A'", "'\\\"'"),
                        List.of("'b'", "'\\\\'")),
                // A no-break space is white space to ECMA 262, and U+0085 only to others.
                schema(
                        "{'type':'string','pattern':'^[^\\\\s]$'}",
                        List.of("'a'", "'é'"),
                        List.of("' '", "'\u00A0'", "'\u2003'")),
                schema("{'type':'string','pattern':'^[^\\\\S]$'}", List.of("' '", "'\\n'"), List.of("'a'", "'\u0085'")),
                schema(
                        "{'type':'string','format':'date'}",
                        List.of("'2024-02-29'", "'2023-12-31'", "'2000-02-29'"),
                        List.of("'2023-02-29'", "'1900-02-29'", "'2023-04-31'", "'2023-13-01'")),
                schema(
                        "{'type':'string','format':'date-time'}",
                        List.of("'2024-02-29T23:59:59Z'", "'2024-01-01T00:00:00.5+02:00'"),
                        List.of("'2024-01-01'", "'2024-01-01T24:00:00Z'")),
                schema(
                        "{'type':'string','format':'uuid'}",
                        List.of("'123e4567-e89b-12d3-a456-426614174000'"),
                        List.of("'123'")),
                schema(
                        "{'type':'string','format':'ipv4'}",
                        List.of("'127.0.0.1'", "'255.255.255.255'"),
                        List.of("'256.0.0.1'", "'1.2.3'", "'01.2.3.4'")),
                schema("{'type':'string','format':'email'}", List.of("'a.b@example.com'"), List.of("'a'", "'@x.y'")),
                schema(
                        "{'title':'t','description':'d','default':1,'examples':[2],'type':'boolean'}",
                        List.of("true", "false"),
                        List.of("1")));
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void instances(String schema, List<String> valid, List<String> invalid) {
        Grammar grammar = JsonSchema.toGrammar(schema, "s");
        assertThat(valid).allMatch(t -> matches(grammar, t.replace('\'', '"')));
        assertThat(invalid).noneMatch(t -> matches(grammar, t.replace('\'', '"')));
    }

    @Test
    void nothingIsNoSchema() {
        assertThatThrownBy(() -> JsonSchema.toGrammar(" ", "s"))
                .isInstanceOf(PanamoeException.class)
                .hasMessage("s: #: expected a JSON Schema, that is an object, found nothing");
    }

    @Test
    void jsonModeIsAnyObject() {
        Grammar grammar = JsonSchema.anyObject();
        assertThat(List.of("{}", "{\"a\": [1, {\"b\": null}], \"c\": \"\\u00e9\"}"))
                .allMatch(t -> matches(grammar, t));
        assertThat(List.of("", "[]", "1", "{\"a\":}", "{}x", "{    }")).noneMatch(t -> matches(grammar, t));
        assertThat(matches(grammar, "{\"a\":" + "[".repeat(3000) + "]".repeat(3000) + "}"))
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '§', quoteCharacter = '\0', textBlock = """
            {"type":"string","oneOf":[]}                     § s: #: keyword "oneOf" is not supported for type string; use "anyOf"
            {"properties":{"a":{"type":"array","uniqueItems":true}}} § s: #/properties/a: keyword "uniqueItems" is not supported for type array
            {"anyOf":[{"type":"string"},{"not":{}}]}         § s: #/anyOf/1: keyword "not" is not supported without "type"
            {"type":"integer","multipleOf":7919}             § s: #: keyword "multipleOf": expected a smaller or rounder number
            {"type":"number","multipleOf":0.0000001}         § s: #: keyword "multipleOf": expected a smaller or rounder number
            {"type":"number","multipleOf":0}                 § s: #: keyword "multipleOf": expected a number above 0, found 0
            {"type":"string","multipleOf":2}                 § s: #: keyword "multipleOf" is not supported for type string
            {"type":"integer","multipleOf":5,"minimum":6,"maximum":9} § s: #: there is no number between the bounds
            {"type":"number","minimum":0.1234567890123456789} § s: #: bounds of more than 18 digits behind the point
            {"type":"number","exclusiveMinimum":0.5,"maximum":0.5} § s: #: there is no number between the bounds
            {"type":"integer","minimum":3,"maximum":2}       § s: #: there is no number between the bounds
            {"type":"integer","minimum":1e999999999}         § s: #: keyword "minimum": expected a number of at most 40 digits
            {"type":"integer","minimum":0e90000000000000}    § s: expected a JSON Schema, found a number whose exponent is too large
            {"type":"number","minimum":1e30}                 § s: #: bounds of more than 18 digits
            {"type":"number","exclusiveMinimum":1,"maximum":1} § s: #: there is no number between the bounds
            {"type":"string","minLength":-1}                 § s: #: keyword "minLength": expected a whole number from 0 to 1000000, found -1
            {"type":"string","minLength":3,"maxLength":2}    § s: #: keyword "maxLength": expected at least "minLength"
            {"type":"string","format":"uri"}                 § s: #: keyword "format": expected one of date, date-time
            {"type":"string","pattern":"(?=x)"}              § s: #: keyword "pattern" has a look-around or a named group at character 3
            {"type":"string","pattern":"a\\\\b"}             § s: #: keyword "pattern" has the escape \\b
            {"type":"string","pattern":"(a$|b)"}             § s: #: keyword "pattern" has an anchor inside
            {"type":"string","pattern":"a","maxLength":3}    § s: #: only one of
            {"type":"text"}                                  § s: #: keyword "type": expected one or several of object, array
            {"type":"integer","enum":[1,"x"]}                § s: #: the value "x" is not of type integer
            {"enum":[]}                                      § s: #: keyword "enum": expected an array of values, found []
            {"enum":[1],"minimum":3}                         § s: #: keyword "minimum" is not supported beside "enum"
            {"$ref":"#/$defs/x"}                             § s: #: "$ref" "#/$defs/x" leads nowhere
            {"$ref":"other.json"}                            § s: #: "$ref" "other.json" is not supported
            {"$defs":{"a":{"$id":"b","type":"null"}},"$ref":"#/$defs/a"} § s: #/$defs/a: keyword "$id" is not supported inside a schema
            {"$ref":"#/a%2"}                                 § s: #: "$ref" "#/a%2" is no JSON pointer
            {"$ref":"#x"}                                    § s: #: "$ref" "#x" is no JSON pointer
            {"$ref":"#"}                                     § s: rule "#" never ends
            {"$ref":"#/$defs/a","type":"string"}             § s: #: keyword "type" is not supported beside "$ref"
            {"type":"object","required":["x"]}               § s: #: keyword "required" names "x", which "properties" does not declare
            {"type":"object","patternProperties":{}}         § s: #: keyword "patternProperties" is not supported for type object
            {"properties":{"a/b":{"minimum":1}}}             § s: #/properties/a~1b: keyword "minimum" is not supported without "type"
            {"type":"array","items":[{}]}                    § s: #: keyword "items": expected a schema; use "prefixItems"
            {"type":"array","minItems":1,"items":false}      § s: #: keyword "minItems": expected no more than the items allowed, 0
            {"properties":{"a":{"$ref":"#"}},"required":["a"]} § s: rule "#" never ends
            {"const":"\\ud800"}                              § s: #: half a surrogate pair
            {"type":"string","maxLength":1000000,"minLength":1000000,"x":1} § s: #: keyword "x" is not supported
            {"type":"array","items":{"type":"string","maxLength":1000000},"maxItems":1000000} § s: the grammar is too large
            {"type":"string","type":"string"}                § s: line 1, column
            {"type":"string"                                 § s: line 1, column
            [1]                                              § s: #: expected a JSON Schema, that is an object, found [1]
            {"properties":{"a":false}}                       § s: #/properties/a: the schema false allows nothing
            """)
    void refuses(String schema, String message) {
        assertThatThrownBy(() -> JsonSchema.toGrammar(schema.strip(), "s"))
                .isInstanceOf(PanamoeException.class)
                .hasMessageStartingWith(message)
                .message()
                .doesNotContain("\n");
    }
}
