package dev.panamoe.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.gguf.Metadata;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MergerTest {
    /// Against the definition: look for the best pair in the whole list, merge the leftmost, begin again.
    @Test
    void randomRulesAgainstTheDefinition() {
        Random random = new Random(5);
        for (int round = 0; round < 300; round++) {
            Set<String> tokens = new LinkedHashSet<>(List.of("a", "b", "c"));
            Set<String> rules = new LinkedHashSet<>();
            for (int i = 0; i < 25; i++) {
                List<String> known = List.copyOf(tokens);
                String left = known.get(random.nextInt(known.size()));
                String right = known.get(random.nextInt(known.size()));
                rules.add(left + " " + right);
                tokens.add(left + right);
            }
            List<String> shuffled = new ArrayList<>(rules);
            Collections.shuffle(shuffled, random);
            Metadata metadata = metadata(List.copyOf(tokens), shuffled);
            Vocabulary vocabulary = Vocabulary.of(metadata);
            Merger merger = new Merger(RankedMerges.of(metadata, vocabulary));
            for (int i = 0; i < 20; i++) {
                List<String> symbols = random.ints(random.nextInt(40), 'a', 'd')
                        .mapToObj(Character::toString)
                        .toList();
                symbols.forEach(symbol -> merger.add(vocabulary.find(symbol)));
                List<String> merged = new ArrayList<>();
                merger.finish(id -> merged.add(vocabulary.text(id)));
                assertThat(merged).isEqualTo(byDefinition(symbols, shuffled));
            }
        }
    }

    /// SentencePiece: among all neighbours that are a token when joined, the highest score, then the leftmost.
    @Test
    void randomScoresAgainstTheDefinition() {
        Random random = new Random(7);
        for (int round = 0; round < 300; round++) {
            Set<String> tokens = new LinkedHashSet<>(List.of("a", "b", "c"));
            for (int i = 0; i < 25; i++) {
                List<String> known = List.copyOf(tokens);
                tokens.add(known.get(random.nextInt(known.size())) + known.get(random.nextInt(known.size())));
            }
            List<String> texts = List.copyOf(tokens);
            float[] scores = new float[texts.size()];
            for (int id = 0; id < scores.length; id++) {
                scores[id] = (random.nextInt(20) - 10) / 4f;
            }
            Metadata metadata =
                    Metadata.of("test", Map.of("tokenizer.ggml.tokens", texts, "tokenizer.ggml.scores", scores));
            Vocabulary vocabulary = Vocabulary.of(metadata);
            Merger merger = new Merger(ScoredMerges.of(metadata, vocabulary));
            for (int i = 0; i < 20; i++) {
                List<String> symbols = random.ints(random.nextInt(40), 'a', 'd')
                        .mapToObj(Character::toString)
                        .toList();
                symbols.forEach(symbol -> merger.add(vocabulary.find(symbol)));
                List<String> merged = new ArrayList<>();
                merger.finish(id -> merged.add(vocabulary.text(id)));
                assertThat(merged).isEqualTo(byScores(symbols, texts, scores));
            }
        }
    }

    private static List<String> byScores(List<String> symbols, List<String> texts, float[] scores) {
        List<String> list = new ArrayList<>(symbols);
        while (true) {
            int best = -1;
            float bestScore = Float.NEGATIVE_INFINITY;
            for (int i = 0; i + 1 < list.size(); i++) {
                int id = texts.indexOf(list.get(i) + list.get(i + 1));
                if (id >= 0 && scores[id] > bestScore) {
                    best = i;
                    bestScore = scores[id];
                }
            }
            if (best < 0) {
                return list;
            }
            list.set(best, list.get(best) + list.remove(best + 1));
        }
    }

    @Test
    void theFirstOfEqualRulesCountsAndUnusableRulesDoNot() {
        Metadata metadata = metadata(List.of("a", "b", "c", "ab", "bc"), List.of("b c", "x a", "b a", "a b", "b c"));
        Vocabulary vocabulary = Vocabulary.of(metadata);
        Merges merges = RankedMerges.of(metadata, vocabulary);
        assertThat(merges.rule(1, 2)).isZero();
        assertThat(merges.rule(0, 1)).isEqualTo(3);
        assertThat(merges.rule(1, 0)).isEqualTo(Merges.NONE);
        assertThat(merges.rule(-1, 0)).isEqualTo(Merges.NONE);
        assertThat(merges.result(3)).isEqualTo(3);
    }

    @Test
    void theLeftPartMayBeginWithASpace() {
        Metadata metadata = metadata(List.of(" ", "b", " b"), List.of("  b"));
        Vocabulary vocabulary = Vocabulary.of(metadata);
        assertThat(RankedMerges.of(metadata, vocabulary).rule(0, 1)).isZero();
    }

    private static Metadata metadata(List<String> tokens, List<String> rules) {
        return Metadata.of("test", Map.of("tokenizer.ggml.tokens", tokens, "tokenizer.ggml.merges", rules));
    }

    private static List<String> byDefinition(List<String> symbols, List<String> rules) {
        List<String> list = new ArrayList<>(symbols);
        while (true) {
            int best = -1;
            int bestRank = Integer.MAX_VALUE;
            for (int i = 0; i + 1 < list.size(); i++) {
                int rank = rules.indexOf(list.get(i) + " " + list.get(i + 1));
                if (rank >= 0 && rank < bestRank) {
                    best = i;
                    bestRank = rank;
                }
            }
            if (best < 0) {
                return list;
            }
            list.set(best, list.get(best) + list.remove(best + 1));
        }
    }
}
