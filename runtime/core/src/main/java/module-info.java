/// The embeddable runtime: GGUF files, models, the reference backend, tokenizers, templates and the engine.
@org.jspecify.annotations.NullMarked
module dev.panamoe.core {
    requires static transitive org.jspecify;
    requires dev.panamoe.ffm;
    requires transitive tools.jackson.databind;

    exports dev.panamoe.arch;
    exports dev.panamoe.chat;
    exports dev.panamoe.engine;
    exports dev.panamoe.gguf;
    exports dev.panamoe.grammar;
    exports dev.panamoe.model;
    exports dev.panamoe.quant;
    exports dev.panamoe.reference;
    exports dev.panamoe.sampling;
    exports dev.panamoe.spec;
    exports dev.panamoe.spi;
    exports dev.panamoe.template;
    exports dev.panamoe.tensor;
    exports dev.panamoe.tokenizer;
    exports dev.panamoe;

    uses dev.panamoe.spi.BackendProvider;

    provides dev.panamoe.spi.BackendProvider with
            dev.panamoe.reference.ReferenceProvider;
}
