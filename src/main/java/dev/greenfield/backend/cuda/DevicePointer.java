package dev.greenfield.backend.cuda;

import jcuda.driver.CUdeviceptr;

/** A place in the GPU's memory, as JCuda's calls take it, whose address can be read. */
class DevicePointer extends CUdeviceptr {
    /** Of memory that is about to be allocated. */
    DevicePointer() {}

    private DevicePointer(DevicePointer base, long bytes) {
        super(base, bytes);
    }

    /** The device address. */
    final long address() {
        return getNativePointer() + getByteOffset();
    }

    @Override
    public DevicePointer withByteOffset(long bytes) {
        return new DevicePointer(this, bytes);
    }
}
