/// Immutable descriptions: a model, its layers, and the parameters of operations. Data only; built by
/// `dev.panamoe.arch`, read by `dev.panamoe.model` and the backends. Begin at {@link ModelSpec}.
package dev.panamoe.spec;
