//! Foreign memory in and out: DLPack, Arrow, buffers.
