"""The peers of bench/serve behind FastAPI, one thread, written as their users write them: an MLP 108-256-256-2 in PyTorch or
ONNX Runtime, and two convolutions on pictures in base64.   serve_fastapi.py torch|onnx|picture PORT
The picture's network without a service, on a file:   serve_fastapi.py once FILE"""

import base64
import io
import sys

import numpy
import torch

COLUMNS = [f"x{i}" for i in range(108)]
kind, port = sys.argv[1], sys.argv[2]
torch.set_num_threads(1)
torch.manual_seed(0)


def mlp():
    return torch.nn.Sequential(torch.nn.Linear(108, 256), torch.nn.ReLU(), torch.nn.Linear(256, 256), torch.nn.ReLU(),
                               torch.nn.Linear(256, 2), torch.nn.Softmax(dim=1)).eval()


def cnn():
    return torch.nn.Sequential(torch.nn.Conv2d(3, 32, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
                               torch.nn.Conv2d(32, 64, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
                               torch.nn.Flatten(), torch.nn.Linear(4096, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10),
                               torch.nn.Softmax(dim=1)).eval()


def table():
    model = mlp()
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

    def answer(row):
        p = probabilities([row[name] for name in COLUMNS])
        best = int(p[1] > p[0])
        return {"y_predictions": str(best), "y_probabilities": p, "y_probability": p[best], "y_probabilities_0": p[0],
                "y_probabilities_1": p[1]}

    return answer


def picture():
    from PIL import Image

    model = cnn()

    def answer(row):
        file = Image.open(io.BytesIO(base64.b64decode(row["image_path"]))).convert("RGB")
        pixels = torch.from_numpy(numpy.array(file)).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            p = model(pixels)[0].tolist()
        best = max(range(10), key=p.__getitem__)
        return {"label_predictions": f"c{best}", "label_probabilities": p, "label_probability": p[best]}

    return answer


if kind == "once":
    with open(port, "rb") as given:
        print(picture()({"image_path": base64.b64encode(given.read())}))
    sys.exit()

import uvicorn
from fastapi import FastAPI, Request

app = FastAPI()
answered = picture() if kind == "picture" else table()


@app.post("/predict")
async def predict(request: Request):
    return answered(await request.json())


uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error")
