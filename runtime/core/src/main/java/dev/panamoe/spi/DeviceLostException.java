package dev.panamoe.spi;

import dev.panamoe.PanamoeException;
import org.jspecify.annotations.Nullable;

/// The device cannot be used any more: it was unplugged, reset, or what it ran has failed. Thrown by any operation of a
/// {@link Device}, its {@link Ops} or its buffers when the driver says that the device, its context or its queue is
/// gone; not for a kernel that cannot be built or for memory that is short. An operation that is done later may report
/// it in a later call.
///
/// Whoever catches it closes the device, uses nothing that lay on it, and may open the device again. The library's
/// engine does all this: there it means that the request has failed, and says what becomes of the next one.
public final class DeviceLostException extends PanamoeException {
    private static final long serialVersionUID = 1L;

    /// @param message one line: the call, what the driver said
    public DeviceLostException(String message) {
        super(message);
    }

    public DeviceLostException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
