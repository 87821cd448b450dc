"""What a model file cannot say, found out from labelled pictures: class order, colours, scaling, resizing, output."""
