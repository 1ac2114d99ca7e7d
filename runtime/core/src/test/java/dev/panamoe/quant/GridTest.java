package dev.panamoe.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GridTest {
    static Stream<Arguments> digests() {
        return Stream.of(
                arguments("IQ1", Grid.IQ1, "07540ffc1aeaf6ad4d97e96b0fcc765aae39671d4ae4a27bbd0e796fde167c6a"),
                arguments("IQ2_XXS", Grid.IQ2_XXS, "05826b5d3e472a3a78f196be62ac78acf81df0f909626e12ab9fa2a5d490dd54"),
                arguments("IQ2_XS", Grid.IQ2_XS, "06e47aaca60b4dc1d9b5a3f34540437058a6b142b4d7a59d5ded769b4d1bf1de"),
                arguments("IQ2_S", Grid.IQ2_S, "e1aa1473412b0552c2174c30ef22ab4073f6a181b85a17056e8249bd2932fd88"),
                arguments("IQ3_XXS", Grid.IQ3_XXS, "46e35f5a997efdee6c99ce57854c8a0d4f0ff8ca57e5e8a60c0793ea580acf5d"),
                arguments("IQ3_S", Grid.IQ3_S, "bd1af4945a1717c65610b0284e4628b9a1ba3b306fae3a06f6e5f597356e349f"));
    }

    /// SHA-256 of the tables as the specification of the format gives them: signed bytes, row after row.
    @ParameterizedTest(name = "{0}")
    @MethodSource("digests")
    void tablesAreThoseOfTheSpecification(String name, Grid grid, String sha256) throws NoSuchAlgorithmException {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(grid.values());
        assertThat(HexFormat.of().formatHex(digest)).isEqualTo(sha256);
    }

    @Test
    void signsHaveAnEvenNumberOfOnes() {
        for (int v = 0; v < 128; v++) {
            int signs = Grid.evenSigns(v);
            assertThat(signs & 127).isEqualTo(v);
            assertThat(Integer.bitCount(signs) % 2).isZero();
            assertThat(signs).isBetween(0, 255);
        }
    }
}
