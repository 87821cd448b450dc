"""Makes model files with an old Keras, and notes what it answers. Runs on Python 3.6 and later, without the portal.

    /tmp/keras-2.4/bin/python bench/keras_corpus_maker.py /tmp/corpus/2.4 [--only WORD]

Each file NAME.h5 or NAME.keras lies beside NAME.npz (`pixels`: float32 (n, rows, columns, 3), `vectors` or nothing,
`outputs`: what this Keras answers) and NAME.json (what the manifest has to say, and what is expected).
"""

# The Pythons that an old Keras needs do not know the newer forms.
# ruff: noqa: B905, PTH103, PTH110, PTH118, PTH119, PTH123, RUF005, RUF015, UP008, UP031

import argparse
import json
import os
import zlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np

try:
    import keras
except ImportError:  # TensorFlow 2.0 to 2.5 bring it themselves
    from tensorflow import keras

layers = keras.layers
VERSION = tuple(int(part) for part in keras.__version__.split("-")[0].split(".")[:2])
FAMILIES = [  # module of keras.applications, function, side in px, arguments
    ("mobilenet", "MobileNet", 64, {"alpha": 0.5}),
    ("mobilenet_v2", "MobileNetV2", 64, {"alpha": 0.5}),
    ("mobilenet_v3", "MobileNetV3Small", 64, {}),
    ("mobilenet_v3", "MobileNetV3Large", 64, {}),
    ("densenet", "DenseNet121", 64, {}),
    ("efficientnet", "EfficientNetB0", 64, {}),
    ("efficientnet", "EfficientNetB2", 64, {}),
    ("efficientnet_v2", "EfficientNetV2B0", 64, {}),
    ("efficientnet_v2", "EfficientNetV2S", 64, {}),
    ("inception_v3", "InceptionV3", 75, {}),
    ("inception_resnet_v2", "InceptionResNetV2", 75, {}),
    ("xception", "Xception", 71, {}),
    ("nasnet", "NASNetMobile", 64, {}),
    ("resnet50", "ResNet50", 64, {}),
    ("resnet", "ResNet101", 64, {}),
    ("resnet_v2", "ResNet50V2", 64, {}),
    ("vgg16", "VGG16", 32, {}),
    ("convnext", "ConvNeXtTiny", 64, {}),
    ("regnet", "RegNetX002", 64, {}),
    ("regnet", "RegNetY002", 64, {}),
    ("resnet_rs", "ResNetRS50", 64, {}),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    for name, make in everything():
        path = os.path.join(options.folder, name)
        if options.only in name and not os.path.exists(path + ".json"):
            keras.backend.clear_session()
            np.random.seed(zlib.crc32(name.encode()))
            try:
                make(path)
                print("made", name, flush=True)
            except Exception as error:
                print("NOT MADE", name, type(error).__name__, str(error)[:150], flush=True)


def everything():
    families = []
    for module, function, side, arguments in FAMILIES:
        family = getattr(keras.applications, module, None)
        build = getattr(keras.applications, function, None) or getattr(family, function, None)
        if build is None or family is None:
            continue
        made = Family(family, function, build, side, arguments)
        families.append((function, made))
    for name, make in sorted(PLAIN.items()):
        yield "plain-" + name, make
    for layout in ("nested", "top", "weights_sequential", "sequential", "flat", "weights", "archive"):
        for function, made in families:
            if layout != "archive" or VERSION >= (2, 12):
                yield function + "-" + layout, getattr(made, layout)


def keep(path, model, manifest, expect="admitted", whole=True, extension=".h5", vectors=None):
    """Shake the weights, save the model, and note its answers to three pictures."""
    height, width = [tensor for tensor in model.inputs if len(tensor.shape) == 4][0].shape[1:3]
    height, width = int(height or 64), int(width or 64)
    generator = np.random.RandomState(1)
    pixels = np.stack([generator.rand(height, width, 3), np.zeros((height, width, 3)), np.ones((height, width, 3))])
    pixels[2] *= np.linspace(0, 1, width)[:, None]
    pixels = (pixels * manifest.pop("white", 1)).astype("float32")
    given = [pixels] + ([] if vectors is None else [vectors])
    outputs = shaken(model, given if len(given) > 1 else pixels)
    if whole:
        model.save(path + extension)
    else:
        model.save_weights(path + extension)
    arrays = {"pixels": pixels, "outputs": outputs}
    if vectors is not None:
        arrays["vectors"] = vectors
    np.savez(path + ".npz", **arrays)
    manifest.setdefault("classes", ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"])
    with open(path + ".json", "w") as file:
        json.dump({"manifest": manifest, "expect": expect, "file": os.path.basename(path) + extension}, file)


def shaken(model, given):
    """Shake the weights until the network is sound: a change of 1e-6 in the pictures must stay a small one.

    Otherwise two versions of TensorFlow differ by their rounding alone, whatever is done with the file.
    """
    nearly = (
        [value * np.float32(1 + 1e-6) for value in given] if isinstance(given, list) else given * np.float32(1 + 1e-6)
    )
    for gain in (2.0, 1.4, 1.0, 0.7):
        shake(model, gain)
        outputs = telling(model, given)
        if np.abs(model.predict(nearly) - outputs).max() < 1e-5:
            break
    return outputs


def telling(model, given):
    """Return answers that differ from picture to picture and are no mere zeros and ones: others would prove little."""
    for _step in range(8):
        outputs = model.predict(given)
        spread = (outputs.max(axis=0) - outputs.min(axis=0)).max()
        full = np.abs(outputs).max() > 0.97 or (outputs.shape[1] == 1 and outputs.min() < 0.03)
        factor = 0.2 if full else 5 if spread < 0.02 else 1
        last = [layer for layer in model.layers if layer.get_weights()][-1]
        if factor == 1 or not isinstance(last, layers.Dense):
            break
        values = last.get_weights()
        last.set_weights([values[0] * factor] + [0.2 * value for value in values[1:]])
    return model.predict(given)


def shake(model, gain):
    """Give every weight a value of its own: two that are swapped must show. Counters and generators stay.

    Kernels are of the size that keeps a picture's differences alive through a deep network (He et al. 2015).
    """
    new = []
    for weight, value in zip(weights_of(model), model.get_weights()):
        name = weight.name.rsplit("/", 1)[-1]
        if value.dtype.kind != "f" or "count" in name:
            new.append(value)
        elif "variance" in name:
            new.append(np.random.uniform(0.6, 1.4, value.shape))
        elif "gamma" in name:
            new.append(np.random.uniform(0.8, 1.2, value.shape))
        elif "kernel" in name and value.ndim == 4:
            inputs = value.shape[0] * value.shape[1] * (1 if "depthwise" in name else value.shape[2])
            new.append(np.random.normal(0, np.sqrt(gain / inputs), value.shape))
        elif "kernel" in name or "embed" in name:
            new.append(value)
        else:
            new.append(value + np.random.normal(0, 0.05, value.shape))
    model.set_weights(new)


def weights_of(model):
    """In the order of get_weights, which in Keras 2.2 is not that of model.weights."""
    return [weight for layer in model.layers for weight in layer.weights] if VERSION < (2, 3) else model.weights


class Family:
    """One family of keras.applications in each layout that people save."""

    def __init__(self, module, function, build, side, arguments):
        self.module, self.function, self.build = module, function, build
        self.side, self.arguments = side, arguments

    def base(self, top=False):
        options = dict(self.arguments, weights=None, input_shape=(self.side, self.side, 3))
        if top:
            return self.build(classes=7, **options)
        return self.build(include_top=False, **options)

    def half_frozen(self):
        """Frozen as a whole, then opened at the end: the usual fine-tuning."""
        base = self.base()
        base.trainable = False
        for layer in base.layers[-30:]:
            layer.trainable = True
        return base

    def head(self, tensor, outputs=7, ending="softmax"):
        tensor = layers.GlobalAveragePooling2D()(tensor)
        tensor = layers.Dense(16, activation="relu")(tensor)
        return layers.Dense(outputs, activation=ending)(layers.Dropout(0.5)(tensor))

    def top(self, path):
        keep(path, self.base(top=True), {})

    def sequential(self, path):
        tail = [layers.GlobalAveragePooling2D(), layers.BatchNormalization(), layers.Dropout(0.3)]
        keep(path, keras.Sequential([self.half_frozen()] + tail + [layers.Dense(7, activation="softmax")]), {})

    def nested(self, path):
        image = tensor = keras.Input((self.side, self.side, 3))
        for layer in augmentation():
            tensor = layer(tensor)
        if VERSION >= (2, 4):
            tensor = self.module.preprocess_input(tensor)
            tensor = self.base()(tensor, training=False)
        else:
            tensor = self.base()(tensor)
        model = keras.Model(image, self.head(tensor, 1, "sigmoid"))
        keep(path, model, {"classes": ["nv", "mel"], "white": 255})

    def flat(self, path):
        base = self.base()
        for layer in base.layers[:20]:
            layer.trainable = False
        model = keras.Model(base.input, self.head(base.output, 7, "linear"))
        model.compile("adam", "categorical_crossentropy")
        if self.function == "MobileNetV2":
            model.train_on_batch(np.zeros((2, self.side, self.side, 3)), np.eye(7)[:2])
        keep(path, model, {})

    def architecture(self, head):
        told = {"family": "keras-applications", "name": self.function, "head": head}
        if self.arguments:
            told["options"] = self.arguments
        return {"architecture": told, "input": {"width": self.side, "height": self.side}}

    def weights(self, path):
        base = self.base()
        model = keras.Model(base.input, self.head(base.output))
        last = [{"dense": 16, "activation": "relu"}, {"dropout": 0.5}, {"dense": 7, "activation": "softmax"}]
        keep(path, model, self.architecture({"pool": "avg", "layers": last}), whole=False)

    def weights_sequential(self, path):
        tail = [layers.GlobalAveragePooling2D(), layers.Dropout(0.3), layers.Dense(7, activation="softmax")]
        model = keras.Sequential([self.half_frozen()] + tail)
        last = [{"dropout": 0.3}, {"dense": 7, "activation": "softmax"}]
        keep(path, model, self.architecture({"pool": "avg", "layers": last}), whole=False)

    def archive(self, path):
        image = keras.Input((self.side, self.side, 3))
        tensor = self.base()(self.module.preprocess_input(image), training=False)
        keep(path, keras.Model(image, self.head(tensor)), {"white": 255}, extension=".keras")


def augmentation():
    source = layers.experimental.preprocessing if (2, 3) <= VERSION < (2, 6) else layers
    if VERSION < (2, 3):
        return []
    return [source.RandomFlip("horizontal"), source.RandomRotation(0.1), source.RandomZoom(0.1)]


PLAIN = {}


def plain(function):
    PLAIN[function.__name__] = function
    return function


def small(*middle, **options):
    side, outputs, ending = options.get("side", 32), options.get("outputs", 7), options.get("ending", "softmax")
    image = keras.Input((side, side, 3))
    tensor = layers.Conv2D(8, 3, padding="same", name="first")(image)
    for layer in middle:
        tensor = layer(tensor)
    tensor = layers.GlobalAveragePooling2D()(tensor)
    return keras.Model(image, layers.Dense(outputs, activation=ending)(tensor))


@plain
def hmnist(path):
    stack = [
        layers.Conv2D(16, 3, input_shape=(28, 28, 3), activation="relu", padding="same"),
        layers.MaxPooling2D(),
        layers.BatchNormalization(),
        layers.Conv2D(16, (3, 3), activation="relu"),
        layers.MaxPool2D(2),
        layers.Flatten(),
        layers.Dropout(0.2),
        layers.Dense(32, activation="relu", kernel_regularizer=keras.regularizers.l2(0.01)),
        layers.Dense(7, activation="softmax"),
    ]
    model = keras.Sequential(stack)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.train_on_batch(np.random.rand(4, 28, 28, 3), np.eye(7)[:4])
    keep(path, model, {})


@plain
def every_convolution(path):
    stack = [layers.DepthwiseConv2D(3), layers.SeparableConv2D(8, 3), layers.Conv2DTranspose(6, 3, strides=2)]
    keep(path, small(*stack), {})


@plain
def every_activation(path):
    names = ["relu", "elu", "selu", "tanh", "sigmoid", "softplus", "softsign", "exponential"]
    names += ["swish"] if VERSION >= (2, 3) else []
    names += ["gelu"] if VERSION >= (2, 4) else []
    stack = [layers.LeakyReLU(0.2), layers.PReLU(), layers.ELU(0.7), layers.ReLU(6.0), layers.ThresholdedReLU(0.1)]
    keep(path, small(*([layers.Activation(name) for name in names] + stack)), {})


@plain
def hard_sigmoid(path):
    stack = [layers.Activation("hard_sigmoid"), layers.Conv2D(4, 3, activation="hard_sigmoid")]
    keep(path, small(*stack), {})


@plain
def every_pooling(path):
    stack = [layers.ZeroPadding2D(2), layers.Cropping2D(1), layers.AveragePooling2D(), layers.UpSampling2D()]
    stack += [layers.MaxPooling2D(3, 2, "same"), layers.SpatialDropout2D(0.1), layers.GaussianNoise(0.1)]
    keep(path, small(*stack), {})


@plain
def names_with_slashes(path):
    stack = [layers.Conv2D(8, 3, name="block/conv"), layers.BatchNormalization(name="block/conv/bn")]
    try:
        model = small(*(stack + [layers.Activation("relu", name="block/relu")]))
    except ValueError:
        return
    keep(path, model, {})


@plain
def shared_layers(path):
    image = keras.Input((32, 32, 3))
    conv = layers.Conv2D(3, 3, padding="same", activation="tanh", name="shared")
    tensor = layers.Concatenate()([conv(image), conv(conv(image))])
    tensor = layers.Flatten()(layers.MaxPooling2D(8)(tensor))
    keep(path, keras.Model(image, layers.Dense(7, activation="softmax")(tensor)), {})


@plain
def clinical(path):
    image, numbers = keras.Input((32, 32, 3)), keras.Input((10,))
    tensor = layers.GlobalMaxPooling2D()(layers.Conv2D(8, 3, activation="relu")(image))
    tensor = layers.Concatenate()([tensor, layers.Dense(4, activation="relu")(numbers)])
    model = keras.Model([image, numbers], layers.Dense(7, activation="softmax")(tensor))
    keep(path, model, {"input": {"clinical": "sklesion"}}, vectors=np.eye(10)[:3].astype("float32"))


@plain
def one_sigmoid(path):
    keep(path, small(outputs=1, ending="sigmoid"), {"classes": ["nv", "mel"]})


@plain
def ten_outputs(path):
    keep(path, small(outputs=10), {"unnamed": "other"})


@plain
def eight_pixels(path):
    keep(path, small(side=8), {})


@plain
def softmax_then_reshape(path):
    image = keras.Input((32, 32, 3))
    tensor = layers.Conv2D(7, 3)(layers.AveragePooling2D(8)(layers.Conv2D(8, 3, padding="same")(image)))
    tensor = layers.Reshape((1, 1, 7))(layers.GlobalAveragePooling2D()(tensor))
    tensor = layers.Reshape((7,))(layers.Activation("softmax")(tensor))
    keep(path, keras.Model(image, tensor), {})


@plain
def two_nested(path):
    image = keras.Input((32, 32, 3))
    branches = []
    for number in (1, 2):
        branch = small(layers.BatchNormalization(name="norm"), outputs=5, ending="relu")
        inner = keras.Model(branch.input, branch.output, name="branch_%d" % number)
        inner.trainable = number == 2
        branches.append(inner(image))
    tensor = layers.Concatenate()(branches)
    keep(path, keras.Model(image, layers.Dense(7, activation="softmax")(tensor)), {})


@plain
def arithmetic(path):
    import tensorflow as tf

    if VERSION < (2, 3):
        return
    image = keras.Input((32, 32, 3))
    tensor = tf.cast(image, tf.float32) / 127.5 - 1.0
    tensor = 0.5 * tensor + [0.1, 0.2, 0.3]
    tensor = 1.0 - tf.multiply(tensor, 2.0)
    tensor = layers.Conv2D(8, 3, padding="same")(tensor[..., ::-1])
    tensor = tf.nn.relu(tensor) + tf.math.sigmoid(tensor) * tensor
    tensor = tf.reduce_mean(tensor, axis=[1, 2])
    keep(path, keras.Model(image, layers.Dense(7, activation="softmax")(tensor)), {"white": 255})


@plain
def mixed_precision(path):
    if VERSION < (2, 4):
        return
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = small(layers.BatchNormalization())
        with_float = keras.Model(model.input, layers.Activation("linear", dtype="float32")(model.output))
        plain_twin(path, with_float)
    finally:
        keras.mixed_precision.set_global_policy("float32")


def plain_twin(path, model):
    """Half precision is not kept by the portal: the oracle is the same network in full precision."""
    keep(path, model, {})
    keras.mixed_precision.set_global_policy("float32")
    full = small(layers.BatchNormalization())
    full.set_weights(model.get_weights())
    with np.load(path + ".npz") as old:
        pixels = old["pixels"]
    np.savez(path + ".npz", pixels=pixels, outputs=full.predict(pixels))


@plain
def preprocessing(path):
    if VERSION < (2, 3):
        return
    source = layers.experimental.preprocessing if VERSION < (2, 6) else layers
    image = keras.Input((40, 40, 3))
    tensor = source.Resizing(32, 32)(image)
    for layer in augmentation() + [source.RandomContrast(0.2), source.RandomTranslation(0.1, 0.1)]:
        tensor = layer(tensor)
    tensor = source.CenterCrop(28, 28)(tensor)
    tensor = source.Rescaling(1.0 / 127.5, offset=-1)(tensor)
    tensor = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, activation="relu")(tensor))
    model = keras.Model(image, layers.Dense(7, activation="softmax")(tensor))
    keep(path, model, {"white": 255})


@plain
def normalization(path):
    if VERSION < (2, 3):
        return
    source = layers.experimental.preprocessing if VERSION < (2, 6) else layers
    normal = source.Normalization()
    normal.adapt(255 * np.random.rand(16, 32, 32, 3).astype("float32"))
    image = keras.Input((32, 32, 3))
    tensor = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, activation="relu")(normal(image)))
    model = keras.Model(image, layers.Dense(7, activation="softmax")(tensor))
    keep(path, model, {"white": 255})


@plain
def attention(path):
    if VERSION < (2, 4):
        return
    image = keras.Input((32, 32, 3))
    tensor = layers.Reshape((64, 16))(layers.Conv2D(16, 4, strides=4)(image))
    tensor = layers.LayerNormalization()(tensor)
    tensor = layers.Add()([tensor, layers.MultiHeadAttention(2, 8)(tensor, tensor)])
    tensor = layers.GlobalAveragePooling1D()(tensor)
    keep(path, keras.Model(image, layers.Dense(7, activation="softmax")(tensor)), {})


@plain
def recurrent(path):
    stack = [layers.Reshape((32, 32 * 8)), layers.Bidirectional(layers.LSTM(6, return_sequences=True)), layers.GRU(5)]
    image = keras.Input((32, 32, 3))
    tensor = layers.Conv2D(8, 3, padding="same", name="first")(image)
    for layer in stack:
        tensor = layer(tensor)
    model = keras.Model(image, layers.Dense(7, activation="softmax")(tensor))
    keep(path, model, {}, expect="admitted" if VERSION >= (2, 3) else "old-hard-sigmoid")


@plain
def squeeze_and_excite(path):
    image = keras.Input((32, 32, 3))
    tensor = layers.Conv2D(8, 3, padding="same")(image)
    gate = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(tensor))
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(2, 1, activation="relu")(gate))
    tensor = layers.GlobalAveragePooling2D()(layers.Multiply()([tensor, gate]))
    keep(path, keras.Model(image, layers.Dense(7, activation="softmax")(tensor)), {})


@plain
def efficientnet_package(path):
    """As qubvel's package `efficientnet` wrote it: FixedDropout, and `swish` as a function of its own."""

    class FixedDropout(layers.Dropout):
        def _get_noise_shape(self, inputs):
            return self.noise_shape

    def swish(x):
        return keras.backend.sigmoid(x) * x

    stack = [layers.Activation(swish), FixedDropout(0.2, noise_shape=(None, 1, 1, 1))]
    keep(path, small(*stack), {})


@plain
def scale_layer(path):
    class CustomScaleLayer(layers.Layer):
        def __init__(self, scale, **kwargs):
            super(CustomScaleLayer, self).__init__(**kwargs)
            self.scale = scale

        def get_config(self):
            return dict(super(CustomScaleLayer, self).get_config(), scale=self.scale)

        def call(self, inputs):
            return inputs[0] + inputs[1] * self.scale

    image = keras.Input((32, 32, 3))
    one, two = layers.Conv2D(8, 3)(image), layers.Conv2D(8, 3)(image)
    tensor = layers.GlobalAveragePooling2D()(CustomScaleLayer(0.17)([one, two]))
    keep(path, keras.Model(image, layers.Dense(7, activation="softmax")(tensor)), {})


@plain
def lambda_layer(path):
    keep(path, small(layers.Lambda(lambda x: x * 2, name="twice")), {}, expect="lambda-layer")


@plain
def unknown_layer(path):
    class Squash(layers.Layer):
        def call(self, inputs):
            return inputs * 0.5

    keep(path, small(Squash(name="mine")), {}, expect="custom-layer")


@plain
def weights_of_a_stack(path):
    stack = [
        layers.Conv2D(8, 3, input_shape=(28, 28, 3), activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(7, activation="softmax"),
    ]
    told = [{"conv2d": 8, "kernel": 3, "activation": "relu"}, {"maxpool2d": 2}, {"flatten": True}]
    told += [{"dense": 7, "activation": "softmax"}]
    manifest = {
        "architecture": {"family": "keras-layers", "layers": told},
        "input": {"width": 28, "height": 28},
    }
    keep(path, keras.Sequential(stack), manifest, whole=False)


if __name__ == "__main__":
    main()
