package ai.onnxruntime;

public final class OrtEnvironment implements AutoCloseable {
  public static OrtEnvironment getEnvironment() {
    return new OrtEnvironment();
  }

  public OrtSession createSession(String path) throws OrtException {
    return new OrtSession(path);
  }

  @Override
  public void close() {}
}
