"""The peer of bench/serve: an MLP 108-256-256-2 behind FastAPI, in PyTorch or ONNX Runtime, one thread, written as its
users write it.   serve_fastapi.py torch|onnx PORT"""

import sys

import numpy
import torch
import uvicorn
from fastapi import FastAPI, Request

COLUMNS = [f"x{i}" for i in range(108)]
kind, port = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(1)
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(108, 256), torch.nn.ReLU(), torch.nn.Linear(256, 256), torch.nn.ReLU(),
                            torch.nn.Linear(256, 2), torch.nn.Softmax(dim=1)).eval()

if kind == "onnx":
    import onnxruntime

    torch.onnx.export(model, (torch.zeros(1, 108),), f"/tmp/serve_peer_{port}.onnx", input_names=["x"],
                      output_names=["p"], dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(f"/tmp/serve_peer_{port}.onnx", options, providers=["CPUExecutionProvider"])

    def probabilities(row):
        return session.run(None, {"x": numpy.array([row], dtype=numpy.float32)})[0][0].tolist()
else:
    def probabilities(row):
        with torch.inference_mode():
            return model(torch.tensor([row], dtype=torch.float32))[0].tolist()

app = FastAPI()


@app.post("/predict")
async def predict(request: Request):
    row = await request.json()
    p = probabilities([row[name] for name in COLUMNS])
    best = int(p[1] > p[0])
    return {"y_predictions": str(best), "y_probabilities": p, "y_probability": p[best], "y_probabilities_0": p[0],
            "y_probabilities_1": p[1]}


uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
