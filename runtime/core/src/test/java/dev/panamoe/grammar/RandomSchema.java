package dev.panamoe.grammar;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Schemas of the subset that is supported, put together at random.
final class RandomSchema {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final List<String> NAMES = List.of("a", "ab", "name", "größe", "q\"uote", "漢字", "", "x y", "Id");

    private final Random random;

    private RandomSchema(Random random) {
        this.random = random;
    }

    static String next(Random random) {
        var schema = new RandomSchema(random);
        ObjectNode root = schema.object(3);
        ObjectNode defs = root.putObject("$defs");
        defs.set("leaf", schema.scalar());
        defs.set("tree", schema.tree());
        return root.toString();
    }

    private ObjectNode tree() {
        ObjectNode tree = NODES.objectNode().put("type", "object").put("additionalProperties", false);
        ObjectNode properties = tree.putObject("properties");
        properties.putObject("value").put("$ref", "#/$defs/leaf");
        ObjectNode children = properties.putObject("children").put("type", "array");
        children.putObject("items").put("$ref", "#/$defs/tree");
        tree.putArray("required").add("value").add("children");
        return tree;
    }

    private JsonNode any(int depth) {
        int kind = random.nextInt(depth > 0 ? 10 : 6);
        return switch (kind) {
            case 6 -> object(depth - 1);
            case 7 -> array(depth - 1);
            case 8 -> {
                ObjectNode node = NODES.objectNode();
                ArrayNode list = node.putArray("anyOf");
                for (int i = 1 + random.nextInt(3); i > 0; i--) {
                    list.add(any(depth - 1));
                }
                yield node;
            }
            case 9 -> NODES.objectNode().put("$ref", random.nextBoolean() ? "#/$defs/leaf" : "#/$defs/tree");
            default -> scalar();
        };
    }

    private ObjectNode object(int depth) {
        ObjectNode node = NODES.objectNode().put("type", "object");
        ObjectNode properties = node.putObject("properties");
        ArrayNode required = node.putArray("required");
        List<String> names = new ArrayList<>(NAMES);
        for (int i = random.nextInt(5); i > 0; i--) {
            String name = names.remove(random.nextInt(names.size()));
            properties.set(name, any(depth));
            if (random.nextInt(3) > 0) {
                required.add(name);
            }
        }
        switch (random.nextInt(4)) {
            case 0 -> node.set("additionalProperties", scalar());
            case 1 -> node.put("additionalProperties", true);
            default -> node.put("additionalProperties", false);
        }
        return node;
    }

    private ObjectNode array(int depth) {
        ObjectNode node = NODES.objectNode().put("type", "array");
        int least = random.nextInt(3);
        if (random.nextBoolean()) {
            node.put("minItems", least);
        }
        if (random.nextBoolean()) {
            node.put("maxItems", least + random.nextInt(4));
        }
        if (random.nextInt(3) == 0) {
            node.putArray("prefixItems").add(any(depth)).add(scalar());
        }
        if (random.nextInt(4) > 0) {
            node.set("items", any(depth));
        }
        return node;
    }

    private ObjectNode scalar() {
        ObjectNode node = NODES.objectNode();
        switch (random.nextInt(11)) {
            case 0 -> node.put("type", "boolean");
            case 1 -> node.putArray("type").add("null").add("string").add("integer");
            case 2 -> bounds(node.put("type", "integer"), 3000);
            case 3 -> bounds(node.put("type", "number"), 40);
            case 4 -> node.put("type", "number").put("minimum", -random.nextInt(1000));
            case 5 -> {
                int least = random.nextInt(40);
                node.put("type", "string").put("minLength", least).put("maxLength", least + random.nextInt(60));
            }
            case 6 -> {
                ArrayNode values = node.putArray("enum");
                for (int i = random.nextInt(5); i >= 0; i--) {
                    values.add(NAMES.get(random.nextInt(NAMES.size())));
                }
                values.add(random.nextInt()).addNull();
            }
            case 7 -> {
                List<String> formats = List.copyOf(StringFormats.PATTERNS.keySet());
                node.put("type", "string")
                        .put("format", formats.stream().sorted().toList().get(random.nextInt(formats.size())));
            }
            case 8 -> decimals(node.put("type", "number"));
            case 9 ->
                node.put("type", "integer")
                        .put(random.nextBoolean() ? "minimum" : "exclusiveMaximum", random.nextInt(6000) - 3000)
                        .put("multipleOf", 1 + random.nextInt(60));
            default ->
                node.put("type", "string")
                        .put(
                                "pattern",
                                List.of("^[a-f]{1,3}$", "x|yz", "^\\d+(\\.\\d\\d)?$", "[^a-z]\\s", "^$")
                                        .get(random.nextInt(5)));
        }
        return node;
    }

    private void decimals(ObjectNode node) {
        int digits = random.nextInt(4);
        BigDecimal low = BigDecimal.valueOf(random.nextInt(8000) - 4000, digits);
        BigDecimal high = low.add(BigDecimal.valueOf(1 + random.nextInt(5000), digits));
        node.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
        node.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", high);
        if (random.nextInt(3) == 0 && high.subtract(low).compareTo(BigDecimal.TWO) > 0) {
            String[] steps = {"0.01", "0.25", "0.5", "0.003", "1", "2"};
            node.put("multipleOf", new BigDecimal(steps[random.nextInt(steps.length)]));
        }
    }

    private void bounds(ObjectNode node, int size) {
        int low = random.nextInt(2 * size) - size;
        int high = low + 2 + random.nextInt(size);
        // One bound at least: without any there are exponents, and the judge cannot tell whether 1E72 is an integer.
        boolean both = random.nextBoolean();
        boolean lower = random.nextBoolean();
        if (both || lower) {
            node.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
        }
        if (both || !lower) {
            node.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", high);
        }
    }
}
