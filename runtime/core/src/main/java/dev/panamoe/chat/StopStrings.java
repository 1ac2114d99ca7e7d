package dev.panamoe.chat;

import dev.panamoe.PanamoeException;
import java.util.List;
import java.util.Optional;

/// Ends an answer at the first of several texts, however the tokens cut it. Text that may be the beginning of such a
/// text is held back until that is decided.
///
/// The match that is complete first wins; of those complete at the same character, the longest. So the result does not
/// depend on the pieces in which the text comes.
public final class StopStrings {
    private static final int MAX_LENGTH = 10_000;

    /// @param text what can be shown
    /// @param stop the text that ended the answer, which is not shown; nothing after it counts
    public record Result(String text, Optional<String> stop) {}

    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    /// @throws PanamoeException when one is empty or absurdly long
    public StopStrings(List<String> stops) {
        for (String stop : stops) {
            if (stop.isEmpty() || stop.length() > MAX_LENGTH) {
                throw new PanamoeException(
                        "a stop string must have 1 to " + MAX_LENGTH + " characters, not " + stop.length());
            }
        }
        this.stops = List.copyOf(stops);
    }

    public Result append(String text) {
        if (stopped) {
            return new Result("", Optional.empty());
        }
        int from = held.length();
        held.append(text);
        for (int end = from + 1; end <= held.length(); end++) {
            Optional<String> stop = longestEndingAt(end);
            if (stop.isPresent()) {
                stopped = true;
                String before = held.substring(0, end - stop.get().length());
                held.setLength(0);
                return new Result(before, stop);
            }
        }
        int keep = 0;
        for (String stop : stops) {
            keep = Math.max(keep, Overlap.suffix(held, stop));
        }
        int safe = held.length() - keep;
        if (safe > 0 && keep > 0 && Character.isLowSurrogate(held.charAt(safe))) {
            safe--;
        }
        String shown = held.substring(0, safe);
        held.delete(0, safe);
        return new Result(shown, Optional.empty());
    }

    /// The end without a match: what was held back.
    public String finish() {
        String rest = held.toString();
        held.setLength(0);
        return rest;
    }

    private Optional<String> longestEndingAt(int end) {
        String longest = "";
        for (String stop : stops) {
            int start = end - stop.length();
            if (start >= 0
                    && stop.length() > longest.length()
                    && held.charAt(end - 1) == stop.charAt(stop.length() - 1)
                    && stop.contentEquals(held.subSequence(start, end))) {
                longest = stop;
            }
        }
        return longest.isEmpty() ? Optional.empty() : Optional.of(longest);
    }
}
