/// The embeddable runtime: GGUF files, models, the reference backend, tokenizers, templates and the engine.
@org.jspecify.annotations.NullMarked
module dev.panamoe.core {
    requires static transitive org.jspecify;
    requires dev.panamoe.ffm;

    exports dev.panamoe;
    exports dev.panamoe.chat;
    exports dev.panamoe.gguf;
    exports dev.panamoe.quant;
    exports dev.panamoe.sampling;
    exports dev.panamoe.template;
    exports dev.panamoe.tensor;
    exports dev.panamoe.tokenizer;
}
