package dev.panamoe.grammar;

import static dev.panamoe.grammar.Expr.UNBOUNDED;
import static dev.panamoe.grammar.Expr.choice;
import static dev.panamoe.grammar.Expr.optional;
import static dev.panamoe.grammar.Expr.reference;
import static dev.panamoe.grammar.Expr.repeat;
import static dev.panamoe.grammar.Expr.sequence;
import static dev.panamoe.grammar.Expr.text;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Printable;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonPointer;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// From a JSON Schema to the grammar of the JSON texts that it allows, spelled as {@link JsonText} says.
///
/// Each text of the grammar is valid. What the grammar leaves out on purpose: properties stand in the order in which
/// the schema declares them, and an object with `properties` has no others unless `additionalProperties` asks for them.
/// A keyword that cannot be enforced is refused, never left out; annotations are not looked at.
public final class JsonSchema {
    private static final int LONGEST = 1 << 20;
    private static final int LARGEST_COUNT = 1_000_000;
    private static final int LONGEST_NAME = 256;
    private static final int LONGEST_NUMBER = 40;
    private static final int MOST_PREFIX_ITEMS = 100;
    /// Digits behind the point of a number that others are multiples of.
    private static final int MOST_STEP_DIGITS = 6;

    private static final String[] BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
    private static final String ROOT = "#";

    private static final Set<String> ANNOTATIONS = Set.of(
            "$schema",
            "$id",
            "$comment",
            "$defs",
            "definitions",
            "title",
            "description",
            "default",
            "examples",
            "deprecated",
            "readOnly",
            "writeOnly");
    private static final List<String> TYPES =
            List.of("object", "array", "string", "number", "integer", "boolean", "null");

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
            .build();

    private final String source;
    private final JsonNode document;
    private final Map<String, Expr> rules = new HashMap<>(JsonText.rules());
    private final Set<String> known = new HashSet<>();
    /// Pointers that were referred to and have no rule yet.
    private final Deque<String> pending = new ArrayDeque<>();

    private JsonSchema(JsonNode document, String source) {
        this.document = document;
        this.source = source;
    }

    /// Any JSON object: what is called JSON mode.
    public static Grammar anyObject() {
        return Compiler.compile("JSON", JsonText.rules(), "object");
    }

    /// @param schema the text of a JSON Schema, draft 2020-12 where drafts differ
    /// @param source what to call it in messages, such as the file's name
    /// @throws PanamoeException when it is no JSON, no schema, or has a keyword that cannot be enforced
    public static Grammar toGrammar(String schema, String source) {
        if (schema.length() > LONGEST) {
            throw new PanamoeException(
                    source + ": the schema has " + schema.length() + " characters, at most " + LONGEST + " are read");
        }
        JsonNode document;
        try {
            document = MAPPER.readTree(schema);
        } catch (JacksonException e) {
            String where = e.getLocation() == null
                    ? ""
                    : "line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr() + ": ";
            throw new PanamoeException(
                    source + ": " + where + "expected a JSON Schema, found what is no JSON: "
                            + Printable.escape(String.valueOf(e.getOriginalMessage())),
                    e);
        } catch (NumberFormatException e) { // Jackson does not wrap what BigDecimal throws for a huge exponent
            throw new PanamoeException(
                    source + ": expected a JSON Schema, found a number whose exponent is too large", e);
        }
        return new JsonSchema(document, source).grammar();
    }

    private Grammar grammar() {
        if (!document.isObject() && !document.isBoolean()) {
            throw refused(ROOT, "expected a JSON Schema, that is an object, found " + shown(document));
        }
        ruleOf(ROOT);
        for (String pointer = pending.poll(); pointer != null; pointer = pending.poll()) {
            rules.put(pointer, schema(resolve(pointer), pointer));
        }
        return Compiler.compile(source, rules, ROOT);
    }

    private PanamoeException refused(String pointer, String what) {
        return new PanamoeException(source + ": " + Printable.escape(pointer) + ": " + what);
    }

    private static String shown(JsonNode node) {
        return node.isMissingNode() ? "nothing" : Printable.escape(node.toString(), 60);
    }

    private static String quoted(String text) {
        return '"' + Printable.escape(text, 60) + '"';
    }

    private Expr ruleOf(String pointer) {
        if (known.add(pointer)) {
            pending.add(pointer);
        }
        return reference(pointer);
    }

    private JsonNode resolve(String pointer) {
        return pointer.equals(ROOT) ? document : document.at(JsonPointer.compile(pointer.substring(1)));
    }

    private static String child(String pointer, String key) {
        return pointer + "/" + key.replace("~", "~0").replace("/", "~1");
    }

    /// The keywords of one schema. Each is taken once; what is left in the end is not known here.
    private final class Keywords {
        final JsonNode node;
        final String pointer;
        private final Set<String> left = new TreeSet<>();

        Keywords(JsonNode node, String pointer) {
            this.node = node;
            this.pointer = pointer;
            left.addAll(node.propertyNames());
            left.removeAll(ANNOTATIONS);
        }

        boolean has(String... keys) {
            for (String key : keys) {
                if (node.has(key)) {
                    return true;
                }
            }
            return false;
        }

        @Nullable
        JsonNode take(String key) {
            left.remove(key);
            return node.get(key);
        }

        PanamoeException wrong(String key, String expected) {
            return refused(
                    pointer, "keyword " + quoted(key) + ": expected " + expected + ", found " + shown(node.path(key)));
        }

        int count(String key, int otherwise) {
            JsonNode value = take(key);
            if (value == null) {
                return otherwise;
            }
            BigDecimal count = number(key, value);
            if (count.signum() < 0
                    || count.compareTo(BigDecimal.valueOf(LARGEST_COUNT)) > 0
                    || count.stripTrailingZeros().scale() > 0) {
                throw wrong(key, "a whole number from 0 to " + LARGEST_COUNT);
            }
            return count.intValue();
        }

        Optional<BigDecimal> bound(String key) {
            JsonNode value = take(key);
            return value == null ? Optional.empty() : Optional.of(number(key, value));
        }

        private BigDecimal number(String key, JsonNode value) {
            if (!value.isNumber()) {
                throw wrong(key, "a number");
            }
            BigDecimal number = value.decimalValue();
            // So that no exponent asks for any number of digits.
            if (number.precision() > LONGEST_NUMBER || Math.abs((long) number.scale()) > LONGEST_NUMBER) {
                throw wrong(key, "a number of at most " + LONGEST_NUMBER + " digits");
            }
            return number;
        }

        Optional<String> string(String key) {
            JsonNode value = take(key);
            if (value != null && !value.isString()) {
                throw wrong(key, "a string");
            }
            return value == null ? Optional.empty() : Optional.of(value.stringValue());
        }

        /// A keyword that may be `false`, where it changes nothing.
        void takeFalse(String key) {
            JsonNode value = node.get(key);
            if (value != null && value.isBoolean() && !value.booleanValue()) {
                left.remove(key);
            }
        }

        void finish(String what) {
            if (!left.isEmpty()) {
                String key = left.iterator().next();
                String instead = key.equals("oneOf") || key.equals("allOf") ? "; use \"anyOf\" or one schema" : "";
                throw refused(pointer, "keyword " + quoted(key) + " is not supported " + what + instead);
            }
        }
    }

    private Expr schema(JsonNode node, String pointer) {
        if (node.isBoolean() && node.booleanValue()) {
            return JsonText.VALUE;
        }
        if (!node.isObject()) {
            throw refused(
                    pointer,
                    node.isBoolean()
                            ? "the schema false allows nothing"
                            : "expected a schema, that is an object, found " + shown(node));
        }
        if (node.has("$id") && !pointer.equals(ROOT)) {
            // References below would begin here, not at the root.
            throw refused(pointer, "keyword \"$id\" is not supported inside a schema");
        }
        var keywords = new Keywords(node, pointer);
        Optional<String> ref = keywords.string("$ref");
        if (ref.isPresent()) {
            keywords.finish("beside \"$ref\"");
            return ref(ref.get(), pointer);
        }
        if (keywords.has("anyOf")) {
            return anyOf(keywords);
        }
        Set<String> types = types(keywords);
        if (keywords.has("const", "enum")) {
            return values(keywords, types);
        }
        if (types.isEmpty()) {
            if (keywords.left.isEmpty()) {
                return JsonText.VALUE;
            }
            types = keywords.has("properties", "required", "additionalProperties")
                    ? Set.of("object")
                    : keywords.has("items", "prefixItems", "minItems", "maxItems") ? Set.of("array") : Set.of();
        }
        List<Expr> all = new ArrayList<>();
        for (String type : types) {
            all.add(
                    switch (type) {
                        case "object" -> object(keywords);
                        case "array" -> array(keywords);
                        case "string" -> string(keywords);
                        case "number" -> number(keywords);
                        case "integer" -> integer(keywords);
                        case "boolean" -> JsonText.BOOLEAN;
                        default -> JsonText.NULL;
                    });
        }
        keywords.finish(types.isEmpty() ? "without \"type\"" : "for type " + String.join(", ", types));
        return choice(all);
    }

    private Expr ref(String ref, String pointer) {
        if (!ref.startsWith(ROOT)) {
            throw refused(pointer, "\"$ref\" " + quoted(ref) + " is not supported; refer to \"#/$defs/…\"");
        }
        String pointed;
        JsonNode target;
        try {
            // A reference is part of a URI. A plus sign stands for itself there.
            pointed = URLDecoder.decode(ref.replace("+", "%2B"), StandardCharsets.UTF_8);
            target = resolve(pointed);
        } catch (IllegalArgumentException e) {
            throw new PanamoeException(
                    source + ": " + Printable.escape(pointer) + ": \"$ref\" " + quoted(ref) + " is no JSON pointer", e);
        }
        if (target.isMissingNode()) {
            throw refused(pointer, "\"$ref\" " + quoted(ref) + " leads nowhere");
        }
        return ruleOf(pointed);
    }

    private Expr anyOf(Keywords keywords) {
        JsonNode list = keywords.take("anyOf");
        if (list == null || !list.isArray() || list.isEmpty()) {
            throw keywords.wrong("anyOf", "an array of schemas");
        }
        keywords.finish("beside \"anyOf\"");
        List<Expr> all = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            all.add(schema(list.get(i), keywords.pointer + "/anyOf/" + i));
        }
        return choice(all);
    }

    private Set<String> types(Keywords keywords) {
        JsonNode type = keywords.take("type");
        Set<String> types = new LinkedHashSet<>();
        if (type == null) {
            return types;
        }
        if (type.isArray() && !type.isEmpty()) {
            type.forEach(t -> types.add(t.asString("")));
        } else {
            types.add(type.asString(""));
        }
        if (!TYPES.containsAll(types)) {
            throw keywords.wrong("type", "one or several of " + String.join(", ", TYPES));
        }
        if (types.contains("number")) {
            types.remove("integer");
        }
        return types;
    }

    private Expr values(Keywords keywords, Set<String> types) {
        JsonNode list = keywords.take("enum");
        JsonNode one = keywords.take("const");
        if (list != null && (one != null || !list.isArray() || list.isEmpty())) {
            throw one == null
                    ? keywords.wrong("enum", "an array of values")
                    : refused(keywords.pointer, "keyword \"const\" is not supported beside \"enum\"");
        }
        keywords.finish(list == null ? "beside \"const\"" : "beside \"enum\"");
        List<Expr> all = new ArrayList<>();
        if (one != null) {
            all.add(value(one, keywords, types));
        } else if (list != null) {
            list.forEach(v -> all.add(value(v, keywords, types)));
        }
        return choice(all);
    }

    private Expr value(JsonNode value, Keywords keywords, Set<String> types) {
        String type = switch (value.getNodeType()) {
            case OBJECT, POJO -> "object";
            case ARRAY -> "array";
            case STRING, BINARY -> "string";
            case NUMBER -> "number";
            case BOOLEAN -> "boolean";
            case NULL, MISSING -> "null";
        };
        boolean fits =
                types.isEmpty() || types.contains(type) || (types.contains("integer") && value.isIntegralNumber());
        if (!fits) {
            throw refused(
                    keywords.pointer, "the value " + shown(value) + " is not of type " + String.join(" or ", types));
        }
        String json = MAPPER.writeValueAsString(value);
        checkText(json, keywords.pointer);
        return text(json);
    }

    /// A lone surrogate has no bytes.
    private void checkText(String text, String pointer) {
        if (text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            throw refused(pointer, "half a surrogate pair in " + quoted(text));
        }
    }

    private Expr object(Keywords keywords) {
        String pointer = keywords.pointer;
        JsonNode properties = keywords.take("properties");
        if (properties == null) {
            properties = MAPPER.createObjectNode();
        }
        if (!properties.isObject()) {
            throw keywords.wrong("properties", "an object of schemas");
        }
        List<String> names = List.copyOf(properties.propertyNames());
        Set<String> required = required(keywords, names);
        List<Expr> fields = new ArrayList<>();
        for (String name : names) {
            checkText(name, pointer);
            String at = child(child(pointer, "properties"), name);
            fields.add(JsonText.field(text(MAPPER.writeValueAsString(name)), schema(properties.get(name), at)));
        }
        Optional<Expr> others = additional(keywords, names);
        Expr rest =
                others.map(field -> repeat(JsonText.next(field), 0, UNBOUNDED)).orElse(Expr.EMPTY);
        rules.put("object " + pointer, JsonText.object(fields(pointer, names, required, fields, others, rest)));
        return reference("object " + pointer);
    }

    private Set<String> required(Keywords keywords, List<String> names) {
        Set<String> required = new LinkedHashSet<>();
        JsonNode list = keywords.take("required");
        if (list != null) {
            if (!list.isArray() || !list.valueStream().allMatch(JsonNode::isString)) {
                throw keywords.wrong("required", "an array of names");
            }
            list.forEach(name -> required.add(name.stringValue()));
        }
        Set<String> undeclared = new LinkedHashSet<>(required);
        names.forEach(undeclared::remove);
        if (!undeclared.isEmpty()) {
            throw refused(
                    keywords.pointer,
                    "keyword \"required\" names " + quoted(undeclared.iterator().next())
                            + ", which \"properties\" does not declare");
        }
        return required;
    }

    private Optional<Expr> additional(Keywords keywords, List<String> names) {
        JsonNode value = keywords.take("additionalProperties");
        boolean open = value == null ? !keywords.has("properties") : !value.isBoolean() || value.booleanValue();
        if (!open) {
            return Optional.empty();
        }
        Expr schema = value == null ? JsonText.VALUE : schema(value, child(keywords.pointer, "additionalProperties"));
        return Optional.of(
                JsonText.field(names.isEmpty() ? JsonText.STRING : otherName(keywords.pointer, names), schema));
    }

    /// All fields, separated, and the space behind them.
    private Expr fields(
            String pointer,
            List<String> names,
            Set<String> required,
            List<Expr> fields,
            Optional<Expr> others,
            Expr rest) {
        int first = 0;
        while (first < names.size() && !required.contains(names.get(first))) {
            first++;
        }
        // What may stand behind each field that may be the first; written as rules, since there may be many.
        List<Expr> beginnings = new ArrayList<>();
        for (int i = 0; i < first; i++) {
            Expr behind = reference("fields " + (i + 1) + " " + pointer);
            beginnings.add(sequence(fields.get(i), behind));
            if (i > 0) {
                rules.put("fields " + i + " " + pointer, sequence(optional(JsonText.next(fields.get(i))), behind));
            }
        }
        List<Expr> last = new ArrayList<>();
        for (int i = first; i < names.size(); i++) {
            Expr next = JsonText.next(fields.get(i));
            last.add(required.contains(names.get(i)) ? next : optional(next));
        }
        last.add(rest);
        if (first > 0) {
            rules.put("fields " + first + " " + pointer, new Expr.Sequence(List.copyOf(last)));
        }
        if (first < names.size()) {
            List<Expr> all = new ArrayList<>(last);
            all.set(0, fields.get(first));
            beginnings.add(new Expr.Sequence(List.copyOf(all)));
        } else {
            others.ifPresent(field -> beginnings.add(sequence(field, rest)));
        }
        if (beginnings.isEmpty()) {
            return Expr.EMPTY;
        }
        Expr some = sequence(choice(beginnings), JsonText.SPACE);
        return first < names.size() ? some : optional(some);
    }

    /// A name that is none of the declared ones. Spelled without escapes, so that there is one way to write each.
    private Expr otherName(String pointer, List<String> names) {
        Map<String, Set<Integer>> next = new HashMap<>();
        for (String name : names) {
            if (name.length() > LONGEST_NAME) {
                throw refused(
                        pointer,
                        "keyword \"additionalProperties\" is not supported beside a name of more than " + LONGEST_NAME
                                + " characters");
            }
            for (int i = 0; i < name.length(); i = name.offsetByCodePoints(i, 1)) {
                next.computeIfAbsent(name.substring(0, i), k -> new LinkedHashSet<>())
                        .add(name.codePointAt(i));
            }
        }
        Set<String> declared = new HashSet<>(names);
        Set<String> prefixes = new HashSet<>(next.keySet());
        prefixes.addAll(declared);
        prefixes.add("");
        for (String prefix : prefixes) {
            List<Expr> all = new ArrayList<>();
            CharSet others = JsonText.PLAIN;
            for (int c : next.getOrDefault(prefix, Set.of())) {
                CharSet one = CharSet.range(c, c);
                others = others.minus(one);
                if (JsonText.PLAIN.contains(c)) {
                    all.add(sequence(
                            new Expr.Chars(one), reference(nameRule(pointer, prefix + Character.toString(c)))));
                }
            }
            all.add(sequence(new Expr.Chars(others), repeat(new Expr.Chars(JsonText.PLAIN), 0, UNBOUNDED), text("\"")));
            if (!declared.contains(prefix)) {
                all.add(text("\""));
            }
            rules.put(nameRule(pointer, prefix), choice(all));
        }
        return sequence(text("\""), reference(nameRule(pointer, "")));
    }

    private static String nameRule(String pointer, String prefix) {
        return "name " + prefix.length() + " " + prefix + pointer;
    }

    private Expr array(Keywords keywords) {
        int least = keywords.count("minItems", 0);
        int most = keywords.count("maxItems", UNBOUNDED);
        if (most != UNBOUNDED && most < least) {
            throw keywords.wrong("maxItems", "at least \"minItems\"");
        }
        keywords.takeFalse("uniqueItems");
        JsonNode items = keywords.take("items");
        JsonNode prefix = keywords.take("prefixItems");
        if (items != null && items.isArray()) {
            throw keywords.wrong("items", "a schema; use \"prefixItems\" for a tuple");
        }
        if (prefix != null && (!prefix.isArray() || prefix.isEmpty() || prefix.size() > MOST_PREFIX_ITEMS)) {
            throw keywords.wrong("prefixItems", "an array of 1 to " + MOST_PREFIX_ITEMS + " schemas");
        }
        boolean closed = items != null && items.isBoolean() && !items.booleanValue();
        Expr item =
                closed ? Expr.EMPTY : items == null ? JsonText.VALUE : schema(items, child(keywords.pointer, "items"));
        int fixed = prefix == null ? 0 : prefix.size();
        if (closed) {
            if (least > fixed) {
                throw keywords.wrong("minItems", "no more than the items allowed, " + fixed);
            }
            most = most == UNBOUNDED ? fixed : Math.min(most, fixed);
        }
        Expr elements;
        if (prefix == null) {
            elements = JsonText.list(item, least, most);
        } else {
            Expr tail = most == UNBOUNDED || most > fixed
                    ? repeat(
                            JsonText.next(item),
                            Math.max(0, least - fixed),
                            most == UNBOUNDED ? UNBOUNDED : most - fixed)
                    : Expr.EMPTY;
            for (int i = fixed - 1; i >= 0; i--) {
                Expr element = schema(prefix.get(i), keywords.pointer + "/prefixItems/" + i);
                Expr with =
                        sequence(i == 0 ? element : JsonText.next(element), tail, i == 0 ? JsonText.SPACE : Expr.EMPTY);
                tail = most != UNBOUNDED && i >= most ? Expr.EMPTY : i < least ? with : optional(with);
            }
            elements = tail;
        }
        rules.put("array " + keywords.pointer, JsonText.array(elements));
        return reference("array " + keywords.pointer);
    }

    private Expr string(Keywords keywords) {
        boolean counted = keywords.has("minLength", "maxLength");
        int least = keywords.count("minLength", 0);
        int most = keywords.count("maxLength", UNBOUNDED);
        if (most != UNBOUNDED && most < least) {
            throw keywords.wrong("maxLength", "at least \"minLength\"");
        }
        Optional<String> pattern = keywords.string("pattern");
        Optional<String> format = keywords.string("format");
        if ((counted ? 1 : 0) + (pattern.isPresent() ? 1 : 0) + (format.isPresent() ? 1 : 0) > 1) {
            throw refused(
                    keywords.pointer, "only one of \"pattern\", \"format\" and the lengths is supported in one schema");
        }
        if (format.isPresent()) {
            String known = StringFormats.PATTERNS.get(format.get());
            if (known == null) {
                throw keywords.wrong(
                        "format", "one of " + String.join(", ", new TreeSet<>(StringFormats.PATTERNS.keySet())));
            }
            return pattern("^(" + known + ")$", "format", keywords);
        }
        if (pattern.isPresent()) {
            return pattern(pattern.get(), "pattern", keywords);
        }
        return counted ? JsonText.string(least, most) : JsonText.STRING;
    }

    private Expr pattern(String pattern, String key, Keywords keywords) {
        checkText(pattern, keywords.pointer);
        try {
            String name = key + " " + keywords.pointer;
            rules.put(name, sequence(text("\""), StringPattern.parse(pattern), text("\"")));
            return reference(name);
        } catch (StringPattern.Unsupported e) {
            throw new PanamoeException(
                    source + ": " + Printable.escape(keywords.pointer) + ": keyword " + quoted(key) + " "
                            + e.getMessage(),
                    e);
        }
    }

    private Expr integer(Keywords keywords) {
        Optional<BigDecimal> multiple = multiple(keywords);
        // Of what is no whole number, whole are the multiples of its numerator, since the fraction is reduced.
        Optional<BigInteger> step = multiple.map(m -> {
            int digits = Math.max(0, m.scale());
            BigInteger units = m.movePointRight(digits).toBigIntegerExact();
            return units.divide(units.gcd(BigInteger.TEN.pow(digits)));
        });
        if (step.isPresent() && !step.get().equals(BigInteger.ONE)) {
            return multiples(keywords, step.get(), 0);
        }
        if (!keywords.has(BOUNDS)) {
            return JsonText.INTEGER;
        }
        BigDecimal least = least(keywords, 0);
        BigDecimal most = most(keywords, 0);
        checkBounds(keywords, least, most);
        return DecimalRange.integers(least.toBigIntegerExact(), most.toBigIntegerExact());
    }

    private Expr number(Keywords keywords) {
        Optional<BigDecimal> multiple = multiple(keywords);
        if (multiple.isPresent()) {
            int digits = Math.max(0, multiple.get().scale());
            return multiples(keywords, multiple.get().movePointRight(digits).toBigIntegerExact(), digits);
        }
        if (!keywords.has(BOUNDS)) {
            return JsonText.NUMBER;
        }
        Optional<BigDecimal> minimum = keywords.bound("minimum");
        Optional<BigDecimal> above = keywords.bound("exclusiveMinimum");
        Optional<BigDecimal> maximum = keywords.bound("maximum");
        Optional<BigDecimal> below = keywords.bound("exclusiveMaximum");
        BigDecimal least = largest(minimum, above);
        BigDecimal most = smallest(maximum, below);
        checkBounds(keywords, least, most);
        if (Math.max(
                        least.stripTrailingZeros().scale(),
                        most.stripTrailingZeros().scale())
                > JsonText.MOST_DIGITS) {
            throw refused(
                    keywords.pointer,
                    "bounds of more than " + JsonText.MOST_DIGITS + " digits behind the point are not supported");
        }
        Expr range = DecimalRange.numbers(
                least,
                above.isEmpty() || above.get().compareTo(least) < 0,
                most,
                below.isEmpty() || below.get().compareTo(most) > 0);
        if (range == null) {
            throw nothing(keywords);
        }
        return range;
    }

    private Optional<BigDecimal> multiple(Keywords keywords) {
        Optional<BigDecimal> multiple = keywords.bound("multipleOf");
        if (multiple.isPresent() && multiple.get().signum() <= 0) {
            throw keywords.wrong("multipleOf", "a number above 0");
        }
        return multiple.map(BigDecimal::stripTrailingZeros);
    }

    /// @param digits behind the point
    /// @param step in units of the last of them
    private Expr multiples(Keywords keywords, BigInteger step, int digits) {
        if (digits > MOST_STEP_DIGITS || !Multiples.areFew(step, digits)) {
            throw keywords.wrong(
                    "multipleOf",
                    "a smaller or rounder number, with at most " + MOST_STEP_DIGITS + " digits behind the point");
        }
        BigDecimal least = least(keywords, digits);
        BigDecimal most = most(keywords, digits);
        checkBounds(keywords, least, most);
        return Multiples.between(rules, step, digits, least.toBigIntegerExact(), most.toBigIntegerExact())
                .orElseThrow(() -> nothing(keywords));
    }

    /// The lower bound in units of the last digit behind the point.
    private static BigDecimal least(Keywords keywords, int digits) {
        return largest(
                keywords.bound("minimum").map(b -> b.movePointRight(digits).setScale(0, RoundingMode.CEILING)),
                keywords.bound("exclusiveMinimum")
                        .map(b -> b.movePointRight(digits)
                                .setScale(0, RoundingMode.FLOOR)
                                .add(BigDecimal.ONE)));
    }

    private static BigDecimal most(Keywords keywords, int digits) {
        return smallest(
                keywords.bound("maximum").map(b -> b.movePointRight(digits).setScale(0, RoundingMode.FLOOR)),
                keywords.bound("exclusiveMaximum")
                        .map(b -> b.movePointRight(digits)
                                .setScale(0, RoundingMode.CEILING)
                                .subtract(BigDecimal.ONE)));
    }

    private void checkBounds(Keywords keywords, BigDecimal least, BigDecimal most) {
        if (least.abs().max(most.abs()).compareTo(new BigDecimal(DecimalRange.LARGEST)) > 0) {
            throw refused(
                    keywords.pointer, "bounds of more than " + JsonText.MOST_DIGITS + " digits are not supported");
        }
        if (least.compareTo(most) > 0) {
            throw nothing(keywords);
        }
    }

    private PanamoeException nothing(Keywords keywords) {
        return refused(keywords.pointer, "there is no number between the bounds");
    }

    private static BigDecimal largest(Optional<BigDecimal> a, Optional<BigDecimal> b) {
        BigDecimal lowest = new BigDecimal(DecimalRange.LARGEST).negate();
        return a.isEmpty() && b.isEmpty()
                ? lowest
                : a.isEmpty() ? b.get() : b.map(a.get()::max).orElse(a.get());
    }

    private static BigDecimal smallest(Optional<BigDecimal> a, Optional<BigDecimal> b) {
        BigDecimal highest = new BigDecimal(DecimalRange.LARGEST);
        return a.isEmpty() && b.isEmpty()
                ? highest
                : a.isEmpty() ? b.get() : b.map(a.get()::min).orElse(a.get());
    }
}
