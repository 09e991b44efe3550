# Sourced. Makes a Python environment with exactly what a hashed list names, once for each version of the list.
#
# venv FOLDER REQUIREMENTS

venv() {
  local folder=$1 requirements=$2
  cmp -s "$requirements" "$folder/requirements.txt" && return 0
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
  cp "$requirements" "$folder/requirements.txt"
}
