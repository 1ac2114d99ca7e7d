package dev.panamoe.template;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Recursive descent over expressions, with the precedence of Jinja2's parser: from loosest to tightest
/// `if else`, `or`, `and`, `not`, comparisons, `+ -`, `~`, `* / // %`, `**`, signs, then `.name [item] (call)`, with
/// filters and tests binding to what stands before them.
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> PRODUCTS = Set.of("*", "/", "//", "%");
    private static final Set<String> NOT_TEST_ARGUMENTS =
            Set.of("else", "or", "and", "is", "if", "in", "not", "recursive");
    private static final Set<String> SPECIALS = Set.of("varargs", "kwargs", "caller");

    private final TokenCursor in;
    private Set<String> specials = new HashSet<>();

    ExpressionParser(TokenCursor in) {
        this.in = in;
    }

    /// Begins to collect which special names of a macro's body are used; gives what was collected so far.
    Set<String> swapSpecials(Set<String> fresh) {
        var old = specials;
        specials = fresh;
        return old;
    }

    /// One expression, or a tuple without parentheses.
    ///
    /// @param conditional whether an inline `if` may follow: not where a loop's `if` does
    Expr tuple(boolean conditional) {
        var items = new ArrayList<Expr>();
        boolean isTuple = false;
        while (items.isEmpty() || !tupleEnds()) {
            items.add(conditional ? expression() : or());
            if (!in.skip(",")) {
                break;
            }
            isTuple = true;
        }
        return isTuple ? new Expr.TupleOf(items) : items.getFirst();
    }

    private boolean tupleEnds() {
        return in.isAt(Token.Type.OUTPUT_END)
                || in.isAt(Token.Type.BLOCK_END)
                || in.isAt(")")
                || in.isAt("in")
                || in.isAt("recursive");
    }

    Expr expression() {
        in.enter();
        Expr e = or();
        while (in.skip("if")) {
            Expr test = or();
            e = new Expr.Conditional(test, e, in.skip("else") ? expression() : null);
        }
        in.leave();
        return e;
    }

    private Expr or() {
        Expr e = and();
        while (in.skip("or")) {
            e = new Expr.Or(e, and());
        }
        return e;
    }

    private Expr and() {
        Expr e = not();
        while (in.skip("and")) {
            e = new Expr.And(e, not());
        }
        return e;
    }

    private Expr not() {
        if (!in.skip("not")) {
            return comparison();
        }
        in.enter();
        var e = new Expr.Not(not());
        in.leave();
        return e;
    }

    private Expr comparison() {
        Expr first = sum();
        var ops = new ArrayList<String>();
        var rest = new ArrayList<Expr>();
        while (true) {
            var token = in.peek();
            if (token.type() == Token.Type.OPERATOR && COMPARISONS.contains(token.text())) {
                ops.add(in.next().text());
            } else if (in.skip("in")) {
                ops.add("in");
            } else if (token.is("not") && in.second().is("in")) {
                in.next();
                in.next();
                ops.add("not in");
            } else {
                return ops.isEmpty() ? first : new Expr.Compare(first, ops, rest);
            }
            rest.add(sum());
        }
    }

    private Expr sum() {
        Expr e = concat();
        while (in.isAt("+") || in.isAt("-")) {
            e = new Expr.Arithmetic(in.next().text(), e, concat());
        }
        return e;
    }

    private Expr concat() {
        Expr first = product();
        if (!in.isAt("~")) {
            return first;
        }
        var parts = new ArrayList<Expr>(List.of(first));
        while (in.skip("~")) {
            parts.add(product());
        }
        return new Expr.Concat(parts);
    }

    private Expr product() {
        Expr e = power();
        while (in.isAt(Token.Type.OPERATOR) && PRODUCTS.contains(in.peek().text())) {
            e = new Expr.Arithmetic(in.next().text(), e, power());
        }
        return e;
    }

    private Expr power() {
        Expr e = filtered(unary());
        while (in.skip("**")) {
            e = new Expr.Arithmetic("**", e, filtered(unary()));
        }
        return e;
    }

    private Expr unary() {
        in.enter();
        Expr e = in.isAt("-") || in.isAt("+") ? new Expr.Sign(in.next().is("-"), unary()) : postfix(primary());
        in.leave();
        return e;
    }

    private Expr primary() {
        var token = in.next();
        return switch (token.type()) {
            case NAME -> name(token.text());
            case NUMBER -> new Expr.Const(token.value());
            case STRING -> {
                var b = new StringBuilder(token.value().toString());
                while (in.isAt(Token.Type.STRING)) {
                    b.append(in.next().value());
                }
                yield new Expr.Const(b.toString());
            }
            default ->
                switch (token.text()) {
                    case "(" -> parenthesized();
                    case "[" -> new Expr.ListOf(items("]"));
                    case "{" -> dict();
                    default -> throw in.error("unexpected '" + token.text() + "'");
                };
        };
    }

    private Expr name(String name) {
        if (SPECIALS.contains(name)) {
            specials.add(name);
        }
        return switch (name) {
            case "true", "True" -> new Expr.Const(true);
            case "false", "False" -> new Expr.Const(false);
            case "none", "None" -> new Expr.Const(None.NONE);
            default -> new Expr.Name(name);
        };
    }

    private Expr parenthesized() {
        Expr e = in.isAt(")") ? new Expr.TupleOf(List.of()) : tuple(true);
        in.expect(")");
        return e;
    }

    private List<Expr> items(String end) {
        var items = new ArrayList<Expr>();
        while (!in.isAt(end)) {
            items.add(expression());
            if (!in.skip(",")) {
                break;
            }
        }
        in.expect(end);
        return items;
    }

    private Expr dict() {
        var keys = new ArrayList<Expr>();
        var values = new ArrayList<Expr>();
        while (!in.isAt("}")) {
            keys.add(expression());
            in.expect(":");
            values.add(expression());
            if (!in.skip(",")) {
                break;
            }
        }
        in.expect("}");
        return new Expr.DictOf(keys, values);
    }

    private Expr postfix(Expr base) {
        Expr e = base;
        while (true) {
            if (in.skip(".")) {
                var token = in.next();
                e = switch (token.type()) {
                    case NAME -> new Expr.Attribute(e, token.text());
                    case NUMBER -> new Expr.Item(e, new Expr.Const(token.value()));
                    default -> throw in.error("expected name or number");
                };
            } else if (in.skip("[")) {
                e = subscript(e);
                in.expect("]");
            } else if (in.isAt("(")) {
                e = new Expr.Call(e, arguments());
            } else {
                return e;
            }
        }
    }

    private Expr subscript(Expr base) {
        Expr start = in.isAt(":") ? null : tuple(true);
        if (!in.skip(":")) {
            return new Expr.Item(base, start == null ? missingSubscript() : start);
        }
        Expr stop = in.isAt(":") || in.isAt("]") ? null : expression();
        Expr step = in.skip(":") && !in.isAt("]") ? expression() : null;
        return new Expr.Slice(base, start, stop, step);
    }

    private Expr missingSubscript() {
        throw in.error("expected subscript expression");
    }

    private Expr filtered(Expr base) {
        Expr e = base;
        while (true) {
            if (in.skip("|")) {
                e = new Expr.Filter(e, filter());
            } else if (in.skip("is")) {
                e = test(e);
            } else if (in.isAt("(")) {
                e = new Expr.Call(e, arguments());
            } else {
                return e;
            }
        }
    }

    /// `name` or `name(arguments)`, the bar before it done.
    Expr.FilterCall filter() {
        String name = dottedName();
        return new Expr.FilterCall(name, in.isAt("(") ? arguments() : Expr.ArgumentList.EMPTY);
    }

    private Expr test(Expr base) {
        boolean negated = in.skip("not");
        String name = dottedName();
        var arguments = Expr.ArgumentList.EMPTY;
        if (in.isAt("(")) {
            arguments = arguments();
        } else if (beginsTestArgument(in.peek())) {
            in.enter();
            arguments = new Expr.ArgumentList(List.of(postfix(primary())), arguments.named(), null, null);
            in.leave();
        }
        return new Expr.Test(base, name, arguments, negated);
    }

    private static boolean beginsTestArgument(Token token) {
        return switch (token.type()) {
            case STRING, NUMBER -> true;
            case NAME -> !NOT_TEST_ARGUMENTS.contains(token.text());
            default -> token.is("[") || token.is("{");
        };
    }

    private String dottedName() {
        var b = new StringBuilder(in.name());
        while (in.skip(".")) {
            b.append('.').append(in.name());
        }
        return b.toString();
    }

    private Expr.ArgumentList arguments() {
        in.expect("(");
        var positional = new ArrayList<Expr>();
        var named = new LinkedHashMap<String, Expr>();
        @Nullable Expr star = null;
        @Nullable Expr starStar = null;
        while (!in.isAt(")")) {
            if (in.skip("*")) {
                star = expression();
            } else if (in.skip("**")) {
                starStar = expression();
            } else if (in.isAt(Token.Type.NAME) && in.second().is("=")) {
                String name = in.name();
                in.next();
                named.put(name, expression());
            } else if (named.isEmpty()) {
                positional.add(expression());
            } else {
                throw in.error("invalid syntax for function call expression");
            }
            if (!in.skip(",")) {
                break;
            }
        }
        in.expect(")");
        return new Expr.ArgumentList(positional, named, star, starStar);
    }
}
