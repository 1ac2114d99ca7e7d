package dev.panamoe.app;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Dependencies point downward only. The table says, for each package, which other packages of Panamoe it may know;
/// the lower lines know only what stands above them, so that there are no cycles either.
class LayerRulesTest {
    private static final String BASE = "dev.panamoe";

    /// A package is named by what follows `dev.panamoe.`, and stands for its subpackages too. `.` is `dev.panamoe`
    /// itself, whose few classes everything above `ffm` may know.
    private static final Map<String, List<String>> MAY_KNOW = table(
            "ffm         <-",
            ".           <-",
            // runtime/core
            "tensor      <- .",
            "gguf        <- . tensor",
            "quant       <- . tensor",
            "spec        <- . tensor",
            "spi         <- . tensor spec",
            "arch        <- . tensor gguf quant spec",
            "reference   <- . tensor quant spec spi",
            "model       <- . tensor gguf quant spec spi",
            "tokenizer   <- . gguf",
            "template    <- .",
            "chat        <- . tokenizer template",
            "sampling    <- .",
            "grammar     <- . gguf tokenizer sampling",
            "engine      <- . tensor gguf spec spi arch model tokenizer chat sampling grammar",
            // kernels-*: never one another
            "cpu         <- . ffm tensor quant spec spi",
            "opencl      <- . ffm tensor quant spec spi",
            "cuda        <- . ffm tensor quant spec spi",
            // runtime/app: kernels at run time only
            "cli         <- . ffm tensor gguf spec spi tokenizer template chat sampling grammar engine");

    private static final List<String> CORE = List.of(
            ".",
            "tensor",
            "gguf",
            "quant",
            "spec",
            "spi",
            "arch",
            "reference",
            "model",
            "tokenizer",
            "template",
            "chat",
            "sampling",
            "grammar",
            "engine");

    private static JavaClasses production = new ClassFileImporter().importClasses();

    @BeforeAll
    static void readClasses() {
        production = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages(BASE);
        // An importer that cannot read the class files of this Java version finds nothing, and breaks no rule.
        Set<String> names = production.stream().map(JavaClass::getName).collect(Collectors.toSet());
        assertThat(names).contains("dev.panamoe.PanamoeException", "dev.panamoe.ffm.Os", "dev.panamoe.cli.Main");
    }

    @Test
    void everyPackageHasItsLineInTheTable() {
        Set<String> unknown = new TreeSet<>();
        for (JavaClass c : production) {
            if (!MAY_KNOW.containsKey(layer(c.getPackageName()))) {
                unknown.add(c.getPackageName());
            }
        }
        assertThat(unknown).as("packages without a line in MAY_KNOW").isEmpty();
    }

    @TestFactory
    Stream<DynamicTest> knowsOnlyWhatLiesBelow() {
        return MAY_KNOW.entrySet().stream()
                .map(line -> DynamicTest.dynamicTest(line.getKey() + " knows " + line.getValue(), () -> {
                    String[] allowed = Stream.concat(Stream.of(line.getKey()), line.getValue().stream())
                            .map(LayerRulesTest::pattern)
                            .toArray(String[]::new);
                    classes()
                            .that(resideInAPackage(pattern(line.getKey())))
                            .should()
                            .onlyDependOnClassesThat(resideInAnyPackage(allowed).or(not(resideInAPackage(BASE + ".."))))
                            .allowEmptyShould(true) // a layer that is not written yet
                            .check(production);
                }));
    }

    /// What is allowed is what is there, so that the table can be read as the diagram. Left out are `.` and the
    /// backends: one that has no kernels yet knows little.
    @Test
    void everyEdgeOfTheTableIsUsed() {
        Map<String, Set<String>> edges = new TreeMap<>();
        for (JavaClass c : production) {
            Set<String> known = edges.computeIfAbsent(layer(c.getPackageName()), k -> new TreeSet<>());
            for (Dependency d : c.getDirectDependenciesFromSelf()) {
                String target = d.getTargetClass().getBaseComponentType().getPackageName();
                if (target.equals(BASE) || target.startsWith(BASE + ".")) {
                    known.add(layer(target));
                }
            }
        }
        Set<String> unused = new TreeSet<>();
        Stream.concat(CORE.stream(), Stream.of("cli"))
                .forEach(from -> MAY_KNOW.get(from).stream()
                        .filter(to -> !to.equals(".")
                                && !edges.getOrDefault(from, Set.of()).contains(to))
                        .forEach(to -> unused.add(from + " <- " + to)));
        assertThat(unused).as("edges of MAY_KNOW that nothing uses").isEmpty();
    }

    @Test
    void theCoreStaysEmbeddable() {
        classes()
                .that(resideInAnyPackage(
                        CORE.stream().map(LayerRulesTest::pattern).toArray(String[]::new)))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(
                        BASE + "..",
                        "java..",
                        "jdk.jfr..",
                        "tools.jackson..",
                        "com.fasterxml.jackson.annotation..",
                        "org.jspecify.."))
                .because("the core depends on the JDK and Jackson only")
                .check(production);
    }

    @Test
    void theBindingsNeedOnlyTheJdk() {
        classes()
                .that(resideInAPackage(pattern("ffm")))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(pattern("ffm"), "java..", "org.jspecify.."))
                .check(production);
    }

    @Test
    void nothingReachesIntoTheJdk() {
        noClasses()
                .should()
                .dependOnClassesThat(resideInAnyPackage("sun..", "jdk.internal.."))
                .check(production);
    }

    @Test
    void noGlobalPropertyIsSet() {
        noClasses()
                .should()
                .callMethod(System.class, "setProperty", String.class, String.class)
                .check(production);
    }

    /// Of `dev.panamoe.x.y`: `x`; of `dev.panamoe`: `.`.
    private static String layer(String packageName) {
        String rest = packageName.substring(BASE.length());
        return rest.isEmpty() ? "." : rest.substring(1).split("\\.", 2)[0];
    }

    private static String pattern(String layer) {
        return layer.equals(".") ? BASE : BASE + "." + layer + "..";
    }

    private static Map<String, List<String>> table(String... lines) {
        Map<String, List<String>> table = new LinkedHashMap<>();
        for (String line : lines) {
            String[] sides = line.split("<-", 2);
            List<String> known = Arrays.stream(sides[1].strip().split("\\s+"))
                    .filter(name -> !name.isEmpty())
                    .toList();
            assertThat(table.keySet()).as("lines above: %s", line).containsAll(known);
            table.put(sides[0].strip(), known);
        }
        return table;
    }
}
