package dev.panamoe.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.sampling.Sampler;
import dev.panamoe.sampling.SamplingParams;
import dev.panamoe.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GrammarConstraintTest {
    private static GrammarConstraint constraint(String grammar, Tokenizer tokenizer) {
        return new GrammarConstraint(
                Gbnf.parse(grammar, "g"), TokenTrie.of(tokenizer, Set.of()), tokenizer.stopTokens());
    }

    private static List<Integer> allowed(GrammarConstraint constraint, Tokenizer tokenizer) {
        float[] logits = new float[tokenizer.size()];
        constraint.mask(logits, logits.length);
        List<Integer> allowed = new ArrayList<>();
        for (int token = 0; token < logits.length; token++) {
            assertThat(constraint.allows(token)).as("token %d", token).isEqualTo(logits[token] == 0);
            if (logits[token] == 0) {
                allowed.add(token);
            }
        }
        return allowed;
    }

    @Test
    void tokensMayCutCharactersAnywhere() {
        // 漢 is E6 BC A2, é is C3 A9, 字 is E5 AD 97.
        var tokens = ByteTokenizer.of("0xE6", "0xBCA2", "0xBC", "0xA2C3", "0xA9", "漢é", "é", "0xE6BCA3", "字", "0xE5");
        var constraint = constraint("root ::= \"漢\" [é]", tokens);
        assertThat(allowed(constraint, tokens)).containsExactly(0, 5);
        constraint.accept(0);
        assertThat(allowed(constraint, tokens)).containsExactly(1, 2);
        constraint.accept(2);
        assertThat(allowed(constraint, tokens)).containsExactly(3);
        constraint.accept(3);
        assertThat(constraint.mayEnd()).isFalse();
        assertThat(allowed(constraint, tokens)).containsExactly(4);
        constraint.accept(4);
        assertThat(constraint.isComplete()).isTrue();
        assertThat(allowed(constraint, tokens)).containsExactly(tokens.stop());
    }

    @Test
    void controlTokensAreNoTextAndStopTokensEnd() {
        var tokens = ByteTokenizer.of("a", "aa", "<end>", "b");
        var constraint = constraint("root ::= \"a\"+ | \"<end>\"", tokens);
        assertThat(allowed(constraint, tokens)).containsExactly(0, 1, 2);
        constraint.accept(1);
        assertThat(constraint.mayEnd()).isTrue();
        assertThat(constraint.isComplete()).isFalse();
        assertThat(allowed(constraint, tokens)).containsExactly(0, 1, tokens.stop());
        assertThatThrownBy(() -> constraint.accept(3)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aVocabularyThatCannotSpellTheGrammar() {
        var tokens = ByteTokenizer.of("a", "b");
        var constraint = constraint("root ::= \"a\" \"x\"", tokens);
        constraint.accept(0);
        assertThatThrownBy(() -> constraint.mask(new float[tokens.size()], tokens.size()))
                .isInstanceOf(PanamoeException.class)
                .hasMessage("g: no token of this model's vocabulary spells what the grammar wants next;"
                        + " loosen the grammar there");
    }

    /// The masks against the definition, token by token, along random texts.
    @Test
    void masksAreWhatEachTokenByItselfIs() {
        Tokenizer tokenizer = Vocabularies.small();
        TokenTrie trie = TokenTrie.of(tokenizer, Set.of());
        var random = new Random(9);
        List<Grammar> grammars = new ArrayList<>();
        grammars.add(JsonSchema.anyObject());
        grammars.add(Gbnf.parse("root ::= (word [ ,.!?])+\nword ::= [A-Z]? [a-z]{1,9} | \"(\" root \")\"", "g"));
        grammars.add(Gbnf.parse("root ::= \" \"? (\"the\" | \"a\" | [^a-z]+) root | \"end\"", "g"));
        for (int i = 0; i < 6; i++) {
            grammars.add(JsonSchema.toGrammar(RandomSchema.next(random), "s"));
        }
        for (Grammar grammar : grammars) {
            var constraint = new GrammarConstraint(grammar, trie, tokenizer.stopTokens());
            for (int i = 0; i < 40 && !constraint.isComplete(); i++) {
                List<Integer> allowed = allowed(constraint, tokenizer);
                int token = allowed.get(random.nextInt(allowed.size()));
                if (tokenizer.stopTokens().contains(token)) {
                    break;
                }
                constraint.accept(token);
            }
        }
    }

    /// Masking comes before truncation, and greedy choice without a mask is the same as with one.
    @Test
    void samplesAsFromMaskedLogits() {
        Tokenizer tokenizer = Vocabularies.small();
        var random = new Random(10);
        for (SamplingParams params :
                List.of(SamplingParams.GREEDY, SamplingParams.DEFAULT, SamplingParams.DEFAULT.withPresencePenalty(2))) {
            var constraint = constraint("root ::= [a-z ]{1,60}", tokenizer);
            var constrained = new Sampler(params);
            var plain = new Sampler(params);
            for (int i = 0; i < 12; i++) {
                float[] logits = new float[tokenizer.size()];
                for (int j = 0; j < logits.length; j++) {
                    logits[j] = (float) random.nextGaussian();
                }
                float[] before = logits.clone();
                int token = constrained.sample(logits, 0, logits.length, Optional.of(constraint));
                assertThat(logits).isEqualTo(before);
                constraint.mask(logits, logits.length);
                assertThat(plain.sample(logits, 0, logits.length)).isEqualTo(token);
                if (tokenizer.stopTokens().contains(token)) {
                    break;
                }
                constrained.accept(token);
                plain.accept(token);
                constraint.accept(token);
            }
        }
    }

    @Test
    void theTrieHoldsEveryTokenOnce() {
        Tokenizer tokenizer = Vocabularies.small();
        TokenTrie trie = TokenTrie.of(tokenizer, Set.of(300));
        byte[] path = new byte[512];
        int tokens = 0;
        for (int node = 0; node < trie.end[0]; node++) {
            if (node > 0) {
                path[trie.depth[node] - 1] = trie.label[node];
            }
            for (int i = trie.first[node]; i < trie.first[node + 1]; i++) {
                assertThat(Arrays.copyOf(path, trie.depth[node])).isEqualTo(tokenizer.bytes(trie.tokens[i]));
                tokens++;
            }
        }
        int expected = 0;
        for (int id = 0; id < tokenizer.size(); id++) {
            boolean text = !tokenizer.isControl(id) && !tokenizer.stopTokens().contains(id) && id != 300;
            assertThat(trie.isText(id)).isEqualTo(text);
            expected += text ? 1 : 0;
        }
        assertThat(tokens).isEqualTo(expected);
    }

    /// A long text in deep and changing states takes no more than the caches hold.
    @Test
    void memoryIsBounded() {
        var stacks = new Stacks(Gbnf.parse("root ::= \"(\" root \")\" root | [a-z]* ", "g"));
        Config config = stacks.start();
        int epoch = 0;
        for (int i = 0; i < 400_000 && epoch < 2; i++) {
            config = stacks.step(config, '(');
            epoch = stacks.epoch();
        }
        assertThat(epoch).as("the cache was emptied").isEqualTo(2);
        assertThat(config.isDead()).isFalse();
        assertThat(stacks.step(config, ')').isDead()).isFalse();
    }
}
