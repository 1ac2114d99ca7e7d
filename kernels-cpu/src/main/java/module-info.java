/// The backend `cpu`: every operation with the Vector API on the cores of this machine.
@org.jspecify.annotations.NullMarked
module dev.panamoe.cpu {
    requires static transitive org.jspecify;
    requires dev.panamoe.core;
    requires dev.panamoe.ffm;
    requires jdk.incubator.vector;

    provides dev.panamoe.spi.BackendProvider with
            dev.panamoe.cpu.CpuProvider;
}
