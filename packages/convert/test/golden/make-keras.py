"""Writes exported/*.tflite and keras.json: a small Keras network, trained a little, in every form that TensorFlow's converter has, with what LiteRT answers (of codes: its reference kernels).

    pip install tensorflow==2.21.0
    python packages/convert/test/golden/make-keras.py
"""

import json
import pathlib

import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).parent
layers, lite = tf.keras.layers, tf.lite
tf.keras.utils.set_random_seed(1)
random = np.random.default_rng(1)

image = layers.Input((12, 12, 1))
h = layers.Conv2D(6, 3, padding="same", use_bias=False)(image)
h = layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.5)(h))
h = layers.MaxPooling2D()(h)
h = layers.Conv2D(16, 1)(layers.DepthwiseConv2D(3, padding="same")(h))
h = layers.Activation("swish")(layers.BatchNormalization(momentum=0.5)(h))
h = layers.Add()([h, layers.Conv2D(16, 3, padding="same", activation="relu")(h)])
h = layers.AveragePooling2D(2)(h)
h = layers.SeparableConv2D(12, 3, strides=2, activation="relu")(h)
h = layers.Dense(12, activation="gelu")(layers.GlobalAveragePooling2D()(h))
model = tf.keras.Model(image, layers.Dense(4, activation="softmax")(h))

# Which quarter of the image is bright.
y = random.integers(0, 4, 2000)
x = random.random((2000, 12, 12, 1), np.float32) / 2
for i, quarter in enumerate(y):
    x[i, quarter // 2 * 6 :][:6, quarter % 2 * 6 :][:, :6] += 0.1
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=20, epochs=5, verbose=0)


def converter(**options):
    made = lite.TFLiteConverter.from_keras_model(model)
    for name, value in options.items():
        setattr(made.target_spec if name.startswith("supported") else made, name, value)
    return made.convert()


def samples():
    for i in range(200):
        yield [x[i : i + 1]]


smaller = {"optimizations": [lite.Optimize.DEFAULT]}
FORMS = {
    "float": {},
    "float16": {**smaller, "supported_types": [tf.float16]},
    "dynamic": smaller,
    "int8": {**smaller, "representative_dataset": samples, "supported_ops": [lite.OpsSet.TFLITE_BUILTINS_INT8]},
    "int16x8": {**smaller, "representative_dataset": samples,
                "supported_ops": [lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]},
}
COUNT = 8
given = np.round(x[1000 : 1000 + COUNT], 4).astype(np.float32)
resolver = lite.experimental.OpResolverType
golden = {"x": {"shape": list(given.shape), "data": [round(float(v), 4) for v in given.flatten()]}, "y": {}}
golden["y"]["keras"] = model.predict(given, verbose=0).flatten().tolist()
(HERE / "exported").mkdir(exist_ok=True)
for form, options in FORMS.items():
    file = converter(**options)
    (HERE / "exported" / f"keras-{form}.tflite").write_bytes(file)
    for kernels in ("reference", "optimized"):
        kind = resolver.BUILTIN_REF if kernels == "reference" else resolver.AUTO
        interpreter = lite.Interpreter(model_content=file, experimental_op_resolver_type=kind)
        interpreter.allocate_tensors()
        answers = []
        for i in range(COUNT):
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], given[i : i + 1])
            interpreter.invoke()
            answers += interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).flatten().tolist()
        golden["y"][f"{form} {kernels}"] = answers
(HERE / "keras.json").write_text(json.dumps(golden) + "\n")
