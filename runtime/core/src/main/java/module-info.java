/// The embeddable runtime: GGUF files, models, the reference backend, tokenizers, templates and the engine.
@org.jspecify.annotations.NullMarked
module dev.panamoe.core {
    requires static transitive org.jspecify;
    requires dev.panamoe.ffm;

    exports dev.panamoe;
    exports dev.panamoe.quant;
    exports dev.panamoe.spec;
    exports dev.panamoe.spi;
    exports dev.panamoe.tensor;

    uses dev.panamoe.spi.BackendProvider;

    provides dev.panamoe.spi.BackendProvider with
            dev.panamoe.reference.ReferenceProvider;
}
