/// What the operating system and C libraries give, reached through the Foreign Function & Memory API.
@org.jspecify.annotations.NullMarked
module dev.panamoe.ffm {
    requires static transitive org.jspecify;

    exports dev.panamoe.ffm;
}
