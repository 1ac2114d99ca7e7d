package dev.panamoe.template;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Recursive descent over statements.
final class StatementParser {
    private static final Statement.Block EMPTY = new Statement.Block(List.of());

    private final TokenCursor in;
    private final ExpressionParser expressions;

    private StatementParser(String source) {
        in = new TokenCursor(Lexer.tokens(source));
        expressions = new ExpressionParser(in);
    }

    static Statement.Block parse(String source) {
        return new StatementParser(source).block(Set.of());
    }

    /// Up to the end, or up to one of the tags `ends`, whose name is the next token then.
    private Statement.Block block(Set<String> ends) {
        in.enter();
        var body = new ArrayList<Statement>();
        while (true) {
            var token = in.peek();
            switch (token.type()) {
                case DATA -> body.add(new Statement.Data(in.next().text()));
                case OUTPUT_BEGIN -> {
                    in.next();
                    body.add(new Statement.Output(expressions.tuple(true)));
                    in.expect(Token.Type.OUTPUT_END);
                }
                case BLOCK_BEGIN -> {
                    in.next();
                    if (in.isAt(Token.Type.NAME) && ends.contains(in.peek().text())) {
                        in.leave();
                        return new Statement.Block(body);
                    }
                    body.add(statement());
                }
                default -> {
                    if (!ends.isEmpty()) {
                        throw in.error("unexpected end of template, expected one of "
                                + String.join(", ", ends.stream().sorted().toList()));
                    }
                    in.leave();
                    return new Statement.Block(body);
                }
            }
        }
    }

    /// A body whose opening tag ends here, and its end tag.
    private Statement.Block body(String end) {
        blockEnd();
        var body = block(Set.of(end));
        in.expect(end);
        blockEnd();
        return body;
    }

    private void blockEnd() {
        in.expect(Token.Type.BLOCK_END);
    }

    private Statement statement() {
        String tag = in.name();
        return switch (tag) {
            case "if" -> conditional();
            case "for" -> loop();
            case "set" -> set();
            case "macro" -> macro(in.name(), true, "endmacro");
            case "call" -> callBlock();
            case "filter" -> {
                var filters = filters();
                yield new Statement.FilterBlock(filters, body("endfilter"));
            }
            case "with" -> with();
            // Marks what the assistant says, for training; for us a scope of its own.
            case "generation" -> new Statement.With(List.of(), List.of(), body("endgeneration"));
            case "break" -> {
                blockEnd();
                yield new Statement.Break();
            }
            case "continue" -> {
                blockEnd();
                yield new Statement.Continue();
            }
            default -> throw in.error("Encountered unknown tag '" + tag + "'");
        };
    }

    private Statement conditional() {
        var branches = new ArrayList<Statement.Branch>();
        var otherwise = EMPTY;
        do {
            Expr test = expressions.tuple(false);
            blockEnd();
            branches.add(new Statement.Branch(test, block(Set.of("elif", "else", "endif"))));
        } while (in.skip("elif"));
        if (in.skip("else")) {
            blockEnd();
            otherwise = block(Set.of("endif"));
        }
        in.expect("endif");
        blockEnd();
        return new Statement.If(branches, otherwise);
    }

    private Statement loop() {
        var target = target(true);
        in.expect("in");
        Expr iterable = expressions.tuple(false);
        Expr test = in.skip("if") ? expressions.expression() : null;
        boolean recursive = in.skip("recursive");
        blockEnd();
        var body = block(Set.of("else", "endfor"));
        var otherwise = EMPTY;
        if (in.skip("else")) {
            blockEnd();
            otherwise = block(Set.of("endfor"));
        }
        in.expect("endfor");
        blockEnd();
        return new Statement.For(target, iterable, test, recursive, body, otherwise);
    }

    private Statement set() {
        Statement.Target target;
        if (in.second().is(".")) {
            String namespace = in.name();
            in.next();
            target = new Statement.AttributeTarget(namespace, in.name());
        } else {
            target = target(true);
        }
        if (in.skip("=")) {
            Expr value = expressions.tuple(true);
            blockEnd();
            return new Statement.Assign(target, value);
        }
        var filters = in.isAt("|") ? filters() : List.<Expr.FilterCall>of();
        return new Statement.SetBlock(target, filters, body("endset"));
    }

    private Statement.MacroDefinition macro(String name, boolean signed, String end) {
        var names = new ArrayList<String>();
        var defaults = new LinkedHashMap<String, Expr>();
        if (signed) {
            signature(names, defaults);
        }
        var specials = new HashSet<String>();
        var outer = expressions.swapSpecials(specials);
        var body = body(end);
        outer.addAll(specials);
        expressions.swapSpecials(outer);
        return new Statement.MacroDefinition(name, new Statement.Signature(names, defaults, specials), body);
    }

    private void signature(List<String> names, Map<String, Expr> defaults) {
        in.expect("(");
        while (!in.isAt(")")) {
            String name = in.name();
            names.add(name);
            if (in.skip("=")) {
                defaults.put(name, expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw in.error("non-default argument follows default argument");
            }
            if (!in.skip(",")) {
                break;
            }
        }
        in.expect(")");
    }

    private Statement callBlock() {
        var names = new ArrayList<String>();
        var defaults = new LinkedHashMap<String, Expr>();
        if (in.isAt("(")) {
            signature(names, defaults);
        }
        if (!(expressions.expression() instanceof Expr.Call call)) {
            throw in.error("expected call");
        }
        var caller = macro("caller", false, "endcall");
        var signature =
                new Statement.Signature(names, defaults, caller.signature().specials());
        return new Statement.CallBlock(call, new Statement.MacroDefinition("caller", signature, caller.body()));
    }

    private Statement with() {
        var targets = new ArrayList<Statement.Target>();
        var values = new ArrayList<Expr>();
        while (!in.isAt(Token.Type.BLOCK_END)) {
            targets.add(target(false));
            in.expect("=");
            values.add(expressions.expression());
            if (!in.skip(",")) {
                break;
            }
        }
        return new Statement.With(targets, values, body("endwith"));
    }

    private List<Expr.FilterCall> filters() {
        var filters = new ArrayList<Expr.FilterCall>();
        in.skip("|");
        do {
            filters.add(expressions.filter());
        } while (in.skip("|"));
        return filters;
    }

    /// @param tuples whether `a, b` is one target
    private Statement.Target target(boolean tuples) {
        in.enter();
        var items = new ArrayList<Statement.Target>();
        boolean tuple = false;
        do {
            if (!items.isEmpty() && !in.isAt(Token.Type.NAME) && !in.isAt("(")) {
                break;
            }
            if (in.skip("(")) {
                items.add(target(true));
                in.expect(")");
            } else {
                items.add(new Statement.NameTarget(in.name()));
            }
            tuple |= tuples && in.isAt(",");
        } while (tuples && in.skip(","));
        in.leave();
        return tuple ? new Statement.TupleTarget(items) : items.getFirst();
    }
}
