package dev.panamoe.sampling;

import dev.panamoe.PanamoeException;
import java.util.Optional;

/// Chooses the next token from the logits of one sequence.
///
/// The steps, in llama.cpp's order: repetition and presence penalties, constraint, top-k, top-p, min-p, temperature,
/// draw. Top-p and min-p see the probabilities before the temperature, renormalised after the step before them. Equal
/// logits are ordered by id, lower first.
///
/// Probabilities are doubles from `StrictMath.exp`, summed in a fixed order, and the generator is [CounterRandom]:
/// equal parameters, accepted tokens and logits give equal tokens on every machine. A draw takes one number from the
/// generator; greedy choice takes none. After the first call nothing is allocated. Not for several threads at once.
public final class Sampler {
    /// First guess at how many tokens top-p keeps; multiplied until they are enough.
    private static final int FIRST_TOP_P = 128;

    private final SamplingParams params;
    private final Penalties penalties;
    private final CounterRandom random;
    private final Candidates candidates = new Candidates();
    /// A copy of the logits with penalties and without what a constraint excludes.
    private float[] changed = new float[0];

    private double[] weights = new double[0];

    public Sampler(SamplingParams params) {
        this.params = params;
        penalties = new Penalties(params);
        random = new CounterRandom(params.seed());
    }

    /// Tells which token was really taken, so that the penalties see it; tokens of the prompt may be told too.
    public void accept(int token) {
        penalties.accept(token);
    }

    /// @param logits at `offset`, (count), one per token of the vocabulary; not changed; -∞ excludes a token
    /// @return the token, 0 to `count` - 1
    /// @throws PanamoeException when a logit is NaN or +∞ or all are -∞
    public int sample(float[] logits, int offset, int count) {
        return sample(logits, offset, count, Optional.empty());
    }

    /// Like {@link #sample(float[], int, int)} among the tokens that a constraint allows: those that it does not are
    /// excluded first, so that the likeliest of the others fill top-k and top-p.
    ///
    /// @throws PanamoeException when the constraint allows none
    public int sample(float[] logits, int offset, int count, Optional<? extends Constraint> constraint) {
        float[] source = logits;
        int start = offset;
        if (penalties.isActive()) {
            source = copy(logits, offset, count);
            start = 0;
            penalties.apply(source, count);
        }
        int best = -1;
        if (constraint.isEmpty() || params.isGreedy()) {
            best = argmax(source, start, count);
            if (params.isGreedy() && (constraint.isEmpty() || constraint.get().allows(best))) {
                return best;
            }
        }
        if (constraint.isPresent()) {
            if (!penalties.isActive()) {
                source = copy(logits, offset, count);
                start = 0;
            }
            constraint.get().mask(source, count);
            best = argmax(source, start, count);
            if (params.isGreedy()) {
                return best;
            }
        }
        float max = source[start + best];
        truncate(source, start, count, max);
        return draw(max);
    }

    /// How many of the likeliest tokens {@link #sample(int[], float[], int)} needs to choose what it would choose from
    /// all of them; 0 when it needs all. It stays the same for a sampler.
    ///
    /// @param most that can be given
    /// @param count tokens of the vocabulary
    public int shortlist(int most, int count) {
        int wanted = params.isGreedy() ? 1 : params.topK();
        return penalties.isActive() || wanted > most || wanted >= count ? 0 : wanted;
    }

    /// Like {@link #sample(float[], int, int)}, from the likeliest tokens alone.
    ///
    /// @param ids (count), largest logit first, the lower of equals first, a NaN before anything
    /// @param logits (count), theirs
    /// @param count {@link #shortlist}
    public int sample(int[] ids, float[] logits, int count) {
        float max = logits[0];
        if (Float.isNaN(max)) {
            throw broken("the logit of token " + ids[0] + " is NaN");
        }
        checkLargest(max, ids[0]);
        if (params.isGreedy()) {
            return ids[0];
        }
        candidates.sorted(ids, logits, count);
        truncateSorted(max);
        return draw(max);
    }

    private float[] copy(float[] logits, int offset, int count) {
        if (changed.length < count) {
            changed = new float[count];
        }
        System.arraycopy(logits, offset, changed, 0, count);
        return changed;
    }

    /// The largest logit's token, the lowest of equals.
    private static int argmax(float[] logits, int offset, int count) {
        int best = -1;
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            float logit = logits[offset + i];
            if (logit > max) {
                max = logit;
                best = i;
            } else if (Float.isNaN(logit)) {
                throw broken("the logit of token " + i + " is NaN");
            }
        }
        checkLargest(max, best);
        return best;
    }

    private static void checkLargest(float max, int token) {
        if (max == Float.NEGATIVE_INFINITY) {
            throw broken("no token has a finite logit");
        }
        if (max == Float.POSITIVE_INFINITY) {
            throw broken("the logit of token " + token + " is infinite");
        }
    }

    private static PanamoeException broken(String what) {
        return new PanamoeException(
                "sampling: " + what + "; the model's computation broke: run `verify` on it, or try another file");
    }

    private void truncate(float[] logits, int offset, int count, float max) {
        boolean topK = params.topK() > 0 && params.topK() < count;
        boolean topP = params.topP() < 1;
        if (topK) {
            candidates.top(logits, offset, count, params.topK());
            truncateSorted(max);
            return;
        }
        if (topP) {
            topOfAll(logits, offset, count, max);
        } else {
            candidates.all(logits, offset, count);
        }
        keepMinP(max);
    }

    /// Top-p and min-p, after top-k.
    private void truncateSorted(float max) {
        if (params.topP() < 1) {
            candidates.truncate(prefix(params.topP() * total(max), max));
        }
        keepMinP(max);
    }

    private void keepMinP(float max) {
        if (params.minP() > 0) {
            candidates.keepAtLeast(max + StrictMath.log(params.minP()));
        }
    }

    /// Top-p over the whole vocabulary: sorts only as many of the likeliest tokens as are needed.
    private void topOfAll(float[] logits, int offset, int count, float max) {
        double wanted = 0;
        for (int i = 0; i < count; i++) {
            wanted += StrictMath.exp((double) logits[offset + i] - max);
        }
        wanted *= params.topP();
        for (long k = FIRST_TOP_P; ; k *= 8) {
            candidates.top(logits, offset, count, (int) Math.min(k, count));
            int n = prefix(wanted, max);
            if (n < candidates.size() || k >= count) {
                candidates.truncate(n);
                return;
            }
        }
    }

    /// Σ exp(logit - max) over the candidates.
    private double total(float max) {
        double sum = 0;
        for (int i = 0; i < candidates.size(); i++) {
            sum += StrictMath.exp((double) candidates.logit(i) - max);
        }
        return sum;
    }

    /// How many of the sorted candidates it takes until their sum reaches `wanted`; at least one.
    private int prefix(double wanted, float max) {
        double sum = 0;
        for (int i = 0; i < candidates.size(); i++) {
            sum += StrictMath.exp((double) candidates.logit(i) - max);
            if (sum >= wanted) {
                return i + 1;
            }
        }
        return candidates.size();
    }

    private int draw(float max) {
        int n = candidates.size();
        if (weights.length < n) {
            weights = new double[n];
        }
        double sum = 0;
        for (int i = 0; i < n; i++) {
            weights[i] = StrictMath.exp(((double) candidates.logit(i) - max) / params.temperature());
            sum += weights[i];
        }
        double point = random.nextUnit() * sum;
        int last = 0;
        for (int i = 0; i < n; i++) {
            if (weights[i] > 0) {
                last = i;
                point -= weights[i];
                if (point < 0) {
                    break;
                }
            }
        }
        return candidates.id(last);
    }
}
