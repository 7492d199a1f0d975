package ai.onnxruntime;

import java.nio.*;

/** A tensor as onnxruntime's Java API declares it, which keeps what it is given. */
public class OnnxTensor implements OnnxValue {
  private final Object values;

  private OnnxTensor(Object values, int length, long[] shape) throws OrtException {
    long count = 1;
    for (long one : shape) {
      count *= one;
    }
    if (count != length) {
      throw new OrtException("the shape is not that of the values");
    }
    this.values = values;
  }

  public static OnnxTensor createTensor(OrtEnvironment e, FloatBuffer b, long[] shape) throws OrtException {
    return new OnnxTensor(b.array(), b.capacity(), shape);
  }

  public static OnnxTensor createTensor(OrtEnvironment e, DoubleBuffer b, long[] shape) throws OrtException {
    return new OnnxTensor(b.array(), b.capacity(), shape);
  }

  public static OnnxTensor createTensor(OrtEnvironment e, LongBuffer b, long[] shape) throws OrtException {
    return new OnnxTensor(b.array(), b.capacity(), shape);
  }

  public static OnnxTensor createTensor(OrtEnvironment e, IntBuffer b, long[] shape) throws OrtException {
    return new OnnxTensor(b.array(), b.capacity(), shape);
  }

  public static OnnxTensor createTensor(OrtEnvironment e, ShortBuffer b, long[] shape) throws OrtException {
    return new OnnxTensor(b.array(), b.capacity(), shape);
  }

  public static OnnxTensor createTensor(OrtEnvironment e, ByteBuffer b, long[] shape, OnnxJavaType type)
      throws OrtException {
    return new OnnxTensor(b.array(), b.capacity(), shape);
  }

  public static OnnxTensor createTensor(OrtEnvironment e, String[] values, long[] shape) throws OrtException {
    return new OnnxTensor(values, values.length, shape);
  }

  @Override
  public Object getValue() {
    return values;
  }
}
