"""The data plane: one proxy beside every application pod."""
