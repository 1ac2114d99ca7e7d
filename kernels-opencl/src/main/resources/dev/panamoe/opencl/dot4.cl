// Tries DOT4 and PERMUTE of prelude.cl, which drivers give in several ways: Dot4Trial computes the same.

// y[i] = DOT4(a, b, c) and y[64 + i] = PERMUTE(a, b, c & 0x7777), or 0 where that is not there, of words made of i.
// One work-group of 64.
KERNEL dot4_trial(GLOBAL int *y) {
    uint a = (uint)LOCAL_ID * 0x9E3779B1u + 0x7F8081FFu;
    uint b = (a ^ (a >> 15)) * 0x85EBCA77u;
    uint c = (b ^ (b >> 13)) * 0xC2B2AE3Du >> 8;
    y[LOCAL_ID] = DOT4(a, b, (int)c);
#ifdef PERMUTE
    y[64 + LOCAL_ID] = (int)PERMUTE(a, b, c & 0x7777u);
#else
    y[64 + LOCAL_ID] = 0;
#endif
}
