#!/usr/bin/env bash
# install_test.sh BUILD CMAKE: installs into an empty prefix, moves it, runs the program there, and builds and runs
# the C++ examples against it.
set -euo pipefail
build=$1 cmake=$2
work=$(mktemp -d "$build/install_test.XXXXXX")
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/first" >"$work/log" || { cat "$work/log"; exit 1; }
mv "$work/first" "$work/prefix"
env -i "$work/prefix/bin/shoestring" --version

# Nothing may come from the build tree or build/deps.
for file in "$work"/prefix/bin/* "$work"/prefix/lib/shoestring/*.so*; do
  if env -i ldd "$file" | grep -E "not found|$build|$PWD/build/deps" | grep -vF "$work"; then
    echo "$file needs what is not in the prefix"
    exit 1
  fi
done

# The same as one archive, unpacked elsewhere: it runs and answers from there.
"${cmake%cmake}cpack" --config "$build/CPackConfig.cmake" -G TGZ -B "$work/pack" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
mkdir "$work/unpacked"
tar -xzf "$work"/pack/shoestring-*.tar.gz -C "$work/unpacked" --strip-components=1
rm -rf "$work/pack"
diff -rq "$work/prefix/bin" "$work/unpacked/bin"
env -i "$work/unpacked/bin/shoestring" train --quiet --config examples/first_mlp/recipe.yaml \
  --dataset examples/first_mlp/machines.csv --output_directory "$work/from_archive"
[[ -e $work/from_archive/experiment_run/model/model.safetensors ]] || { echo "the archive's program made no model"; exit 1; }

example=examples/first_mlp
if [[ -e $example/CMakeLists.txt ]]; then
  "$cmake" -S "$example" -B "$work/example" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  "$cmake" --build "$work/example" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  # The first example written in three ways gives the same losses and accuracies, to the four digits printed.
  table=$PWD/$example
  cd "$work"
  prefix/bin/shoestring train --quiet --config "$table/recipe.yaml" --dataset "$table/machines.csv" --output_directory one
  python3 -c '
import json
for line in open("one/experiment_run/metrics.jsonl"):
    e = json.loads(line)
    print("Step: %d Loss: %.4f Accuracy: %.4f" % (e["step"], e["loss"], e["validation"]["failed"]["accuracy"]))' >recipe.steps
  example/first_mlp "$table" >from_recipe
  example/from_graph "$table" >from_graph
  for way in from_recipe from_graph; do
    grep '^Step' $way | diff recipe.steps - >&2 || { echo "$way differs from the recipe"; exit 1; }
  done
  [[ $(wc -l <recipe.steps) == 11 ]] || { echo "not eleven steps"; exit 1; }
fi
