package dev.panamoe.spi;

import dev.panamoe.spec.CacheType;

/// What one layer keeps of the past, per position: `kvHeads` keys of `keySize` values and as many values of
/// `valueSize`. Position `p` lies in slot `p % capacity`, so a cache smaller than the context is a ring.
///
/// @param valuesInKeys values are the first `valueSize` entries of the keys and are not stored again (latent attention)
/// @param capacity positions kept
public record CacheSpec(int kvHeads, int keySize, int valueSize, boolean valuesInKeys, int capacity, CacheType type) {
    public CacheSpec {
        if (kvHeads < 1 || keySize < 1 || valueSize < 1 || capacity < 1 || (valuesInKeys && valueSize > keySize)) {
            throw new IllegalArgumentException("impossible cache: " + kvHeads + " heads, keys " + keySize + ", values "
                    + valueSize + ", capacity " + capacity);
        }
    }

    /// Bytes of all positions.
    public long byteSize() {
        long perPosition = (long) kvHeads * (keySize + (valuesInKeys ? 0 : valueSize));
        return Math.multiplyExact(perPosition * type.storage().blockBytes(), (long) capacity);
    }
}
