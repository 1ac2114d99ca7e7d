package dev.panamoe.template;

import dev.panamoe.PanamoeException;

/// A chat template that cannot be read or rendered: its own `raise_exception`, an error that Jinja2 or Python would
/// raise too, or a limit that it exceeds.
public final class TemplateException extends PanamoeException {
    private static final long serialVersionUID = 1L;

    private final String kind;
    private final String detail;

    TemplateException(String kind, String detail) {
        super("chat template: " + kind + ": " + detail);
        this.kind = kind;
        this.detail = detail;
    }

    static TemplateException typeError(String detail) {
        return new TemplateException("TypeError", detail);
    }

    static TemplateException valueError(String detail) {
        return new TemplateException("ValueError", detail);
    }

    static TemplateException runtimeError(String detail) {
        return new TemplateException("TemplateRuntimeError", detail);
    }

    static TemplateException limit(String detail) {
        return new TemplateException("LimitExceeded", detail);
    }

    /// The class that Jinja2 or Python would raise: `TemplateError` for `raise_exception`, `UndefinedError`,
    /// `TypeError` and so on, or `LimitExceeded`.
    public String kind() {
        return kind;
    }

    /// The message alone: what the template gave to `raise_exception`, for one.
    public String detail() {
        return detail;
    }
}
