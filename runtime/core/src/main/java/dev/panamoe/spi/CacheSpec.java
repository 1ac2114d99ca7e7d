package dev.panamoe.spi;

import dev.panamoe.spec.CacheType;

/// What one layer keeps of the past, per position: `kvHeads` keys of `keySize` values and as many values of
/// `valueSize`, each a whole number of blocks of its storage type. Position `p` lies in slot `p % capacity`, so a cache
/// smaller than the context is a ring.
///
/// @param valuesInKeys values are the first `valueSize` entries of the keys and are not stored again (latent attention)
/// @param capacity positions kept
public record CacheSpec(int kvHeads, int keySize, int valueSize, boolean valuesInKeys, int capacity, CacheType type) {
    public CacheSpec {
        if (kvHeads < 1 || keySize < 1 || valueSize < 1 || capacity < 1 || (valuesInKeys && valueSize > keySize)) {
            throw new IllegalArgumentException("impossible cache: " + kvHeads + " heads, keys " + keySize + ", values "
                    + valueSize + ", capacity " + capacity);
        }
        // Refuses rows that are no whole number of blocks.
        type.storage().rowBytes(keySize);
        type.storage().rowBytes(valuesInKeys ? 0 : valueSize);
    }

    /// Bytes of all positions.
    public long byteSize() {
        return Math.multiplyExact(kvHeads * (keyBytes() + valueBytes()), (long) capacity);
    }

    /// Bytes of a key.
    public long keyBytes() {
        return type.storage().rowBytes(keySize);
    }

    /// Bytes of a value; 0 when it is a part of its key.
    public long valueBytes() {
        return type.storage().rowBytes(valuesInKeys ? 0 : valueSize);
    }
}
