/// The backend `cpu`: every operation with the Vector API on the cores of this machine.
@org.jspecify.annotations.NullMarked
module dev.panamoe.cpu {
    requires static transitive org.jspecify;
    requires dev.panamoe.core;
    requires jdk.incubator.vector;
    requires jdk.management;

    provides dev.panamoe.spi.BackendProvider with
            dev.panamoe.cpu.CpuProvider;
}
