"""The room of `devtune record`: a proxy that writes down what a model saw and said."""
