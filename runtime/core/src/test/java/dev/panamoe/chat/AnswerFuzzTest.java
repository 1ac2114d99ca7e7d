package dev.panamoe.chat;

import com.code_intelligence.jazzer.junit.FuzzTest;

/// Coverage-guided fuzzing of the parsers of answers, run by the profile `fuzz`.
class AnswerFuzzTest {
    @FuzzTest
    void everyAnswerIsTakenApart(byte[] bytes) {
        AnswerProbe.probe(bytes);
    }
}
