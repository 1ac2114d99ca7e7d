package dev.panamoe.template;

/// Something that a template can call: a global, a bound method, a macro.
@FunctionalInterface
interface Function {
    Object call(Arguments arguments);
}
