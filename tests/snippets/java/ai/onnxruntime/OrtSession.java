package ai.onnxruntime;

import java.util.*;

/** Answers with what it was given: the first output with the first input, and so on. */
public class OrtSession implements AutoCloseable {
  OrtSession(String path) throws OrtException {
    if (!new java.io.File(path).isFile()) {
      throw new OrtException("there is no file " + path);
    }
  }

  public Result run(Map<String, ? extends OnnxTensor> inputs, Set<String> outputs) throws OrtException {
    Map<String, OnnxValue> found = new LinkedHashMap<>();
    Iterator<? extends OnnxTensor> given = inputs.values().iterator();
    for (String name : outputs) {
      found.put(name, given.next());
    }
    return new Result(found);
  }

  @Override
  public void close() throws OrtException {}

  public static class Result implements AutoCloseable, Iterable<Map.Entry<String, OnnxValue>> {
    private final Map<String, OnnxValue> values;

    Result(Map<String, OnnxValue> values) {
      this.values = values;
    }

    @Override
    public Iterator<Map.Entry<String, OnnxValue>> iterator() {
      return values.entrySet().iterator();
    }

    @Override
    public void close() {}
  }
}
