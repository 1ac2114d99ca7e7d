package dev.panamoe.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.DeviceLostException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL11;
import org.lwjgl.opencl.CL12;

class ClErrorsTest {
    @Test
    void aFailureNamesTheCallTheCodeAndWhatCanBeDone() {
        assertThatThrownBy(() -> Cl.check(-4, "clCreateBuffer of 12 MiB for blk.0.ffn_up.weight"))
                .isInstanceOf(PanamoeException.class)
                .hasMessageStartingWith("OpenCL: clCreateBuffer of 12 MiB for blk.0.ffn_up.weight:"
                        + " CL_MEM_OBJECT_ALLOCATION_FAILURE (-4): the device has not enough memory left")
                .hasMessageContaining("--backend cpu")
                .hasMessageNotContaining("\n");
        assertThatThrownBy(() -> Cl.check(-36, () -> "clFinish"))
                .hasMessageContaining("clFinish: CL_INVALID_COMMAND_QUEUE (-36): the device is lost");
        assertThatThrownBy(() -> Cl.check(-9999, "clFinish"))
                .hasMessageContaining("clFinish: error -9999: the device is");
        assertThatCode(() -> Cl.check(0, () -> {
                    throw new AssertionError("words for a success");
                }))
                .doesNotThrowAnyException();
    }

    /// From any call: CL_DEVICE_NOT_AVAILABLE, CL_INVALID_DEVICE, CL_INVALID_CONTEXT, CL_INVALID_COMMAND_QUEUE, and
    /// NVIDIA's -9999.
    @ParameterizedTest
    @ValueSource(ints = {-2, -33, -34, -36, -9999})
    void theDeviceIsLost(int code) {
        assertThatExceptionOfType(DeviceLostException.class)
                .isThrownBy(() -> Cl.check(code, "clFinish"))
                .withMessage("OpenCL: clFinish: " + ClErrors.describe(code));
        assertThatExceptionOfType(DeviceLostException.class).isThrownBy(() -> Cl.check(code, () -> "clFinish"));
        assertThatExceptionOfType(DeviceLostException.class).isThrownBy(() -> Cl.checkDone(code, "clFinish"));
    }

    /// CL_OUT_OF_RESOURCES, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST: what was waited for has failed. From a call
    /// that does not wait they are about that call.
    @ParameterizedTest
    @ValueSource(ints = {-5, -14})
    void theDeviceIsLostIfTheCallHasWaited(int code) {
        assertThatExceptionOfType(DeviceLostException.class)
                .isThrownBy(() -> Cl.checkDone(code, "clFinish"))
                .withMessage("OpenCL: clFinish: " + ClErrors.describe(code));
        assertThatThrownBy(() -> Cl.check(code, "clEnqueueNDRangeKernel")).isExactlyInstanceOf(PanamoeException.class);
    }

    /// A kernel that cannot be built, memory that is short, a wrong call, and no error.
    @ParameterizedTest
    @ValueSource(ints = {-11, -4, -6, -61, -30, -52})
    void theDeviceIsNotLost(int code) {
        assertThatThrownBy(() -> Cl.check(code, "a call")).isExactlyInstanceOf(PanamoeException.class);
        assertThatThrownBy(() -> Cl.checkDone(code, "a call")).isExactlyInstanceOf(PanamoeException.class);
        assertThatCode(() -> Cl.checkDone(0, "a call")).doesNotThrowAnyException();
    }

    /// As the headers of Khronos call them, but for those of images, which there are none of here.
    @Test
    void everyCodeHasItsName() throws IllegalAccessException {
        int compared = 0;
        for (Class<?> version : List.of(CL10.class, CL11.class, CL12.class)) {
            for (Field field : version.getFields()) {
                if (field.getType() != int.class || !Modifier.isStatic(field.getModifiers())) {
                    continue;
                }
                int code = field.getInt(null);
                String name = field.getName();
                boolean constant = List.of("CL_BUILD_NONE", "CL_BUILD_ERROR", "CL_BUILD_IN_PROGRESS")
                        .contains(name);
                if (code >= 0 || constant || ClErrors.name(code).startsWith("error ")) {
                    continue;
                }
                assertThat(ClErrors.name(code)).as("%d", code).isEqualTo(name);
                compared++;
            }
        }
        assertThat(compared).isGreaterThan(45);
    }
}
