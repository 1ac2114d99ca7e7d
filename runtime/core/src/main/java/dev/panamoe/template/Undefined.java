package dev.panamoe.template;

/// What a missing name, attribute or item gives. It prints nothing, is false and empty; any other use raises.
///
/// @param message what is missing
/// @param kind the error class of a use: `UndefinedError`, or `SecurityError` where the sandbox hides the attribute
record Undefined(String message, String kind) {
    Undefined(String message) {
        this(message, "UndefinedError");
    }

    static Undefined unsafe(Object owner, String attribute) {
        return new Undefined(
                "access to attribute '" + attribute + "' of '" + Types.name(owner) + "' object is unsafe.",
                "SecurityError");
    }

    static Undefined attribute(Object owner, String attribute) {
        String type = owner instanceof None ? "None" : Types.name(owner) + " object";
        return new Undefined("'" + type + "' has no attribute '" + attribute + "'");
    }

    static Undefined element(Object owner, Object key) {
        String type = owner instanceof None ? "None" : Types.name(owner) + " object";
        return new Undefined(type + " has no element " + Repr.of(key));
    }

    TemplateException error() {
        return new TemplateException(kind, message);
    }
}
