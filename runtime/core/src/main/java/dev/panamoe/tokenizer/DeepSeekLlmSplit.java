package dev.panamoe.tokenizer;

/// The pre-tokeniser of DeepSeek LLM, V2 and V2.5, six splits one after the other:
///
/// 1. `[\r\n]`
/// 2. `\s?[CASED]+`, where CASED are the cased letters of Unicode but for a few
/// 3. `\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+`
/// 4. `\s+$`
/// 5. `[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+`
/// 6. `\p{N}+`
///
/// The third also cuts what the second matched: its range `:-~` holds the ASCII letters, so an accented letter parts
/// a word. The model was trained so.
final class DeepSeekLlmSplit {
    private static final CodePointSet CASED = CodePointSet.of("""
        0041-005A 0061-007A 00B5 00C0-00D6 00D8-00F6 00F8-01BA 01BC-01BF 01C4-0293 0295-02AF 0370-0373
        0376-0377 037B-037D 037F 0386 0388-038A 038C 038E-03A1 03A3-03F5 03F7-0481 048A-052F 0531-0556
        10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF 1D00-1D2B 1D6B-1D77 1D79-1D9A 1E00-1F15
        1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D 1F5F-1F7D 1F80-1FB4 1FB6-1FBC 1FBE
        1FC2-1FC4 1FC6-1FCC 1FD0-1FD3 1FD6-1FDB 1FE0-1FEC 1FF2-1FF4 1FF6-1FFC 2102 2107 210A-2113 2115
        2119-211D 2124 2126 2128 212A-212D 212F-2134 2139 213C-213F 2145-2149 214E 2183-2184 2C00-2C7B
        2C7E-2CE4 2CEB-2CEE 2CF2-2CF3 A640-A66D A680-A69B A722-A76F A771-A787 A78B-A78E AB70-ABBF
        FB00-FB06 FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F 104B0-104D3 104D8-104FB 10C80-10CB2
        10CC0-10CF2 118A0-118DF 1E900-1E943
        """);
    private static final CodePointSet SYMBOLS =
            CodePointSet.of("0021-002F 003A-007E 2018-201F 3000-3002 FF01-FF0F FF1A-FF5E");
    /// `[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]`
    static final CodePointSet EASTERN = CodePointSet.of("0800-9FA5 AC00-D7FF");

    static final Splitter SPLITTER = Splitter.matches(Splitter.run(CodePointClass::newline, 1))
            .then(Splitter.matches(Splitter.afterSpace(CASED::contains)))
            .then(Splitter.matches(Splitter.afterSpace(SYMBOLS::contains)))
            .then(Splitter.trailingSpaces())
            .then(Splitter.matches(Splitter.run(EASTERN::contains)))
            .then(Splitter.matches(Splitter.run(CodePointClass::number)));

    private DeepSeekLlmSplit() {}
}
