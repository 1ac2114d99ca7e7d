/// The command line.
@org.jspecify.annotations.NullMarked
module dev.panamoe.app {
    requires static transitive org.jspecify;
    requires dev.panamoe.core;
    requires dev.panamoe.ffm;
    requires java.management;
    requires info.picocli;
    requires org.jline;
    requires tools.jackson.databind;

    opens dev.panamoe.cli to
            info.picocli;
}
