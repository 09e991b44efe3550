# Sourced. Creates a Python environment with exactly the packages of a hashed list, once for each
# version of the list.
#
# python_check
# venv FOLDER REQUIREMENTS [flags of pip install]

# Checks whether environments can be created here; otherwise prints what to install.
python_check() {
  python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "python 3.11 or newer with its venv module is needed (apt-get install python3 python3-venv)" >&2
    return 1
  }
}

venv() {
  local folder=$1 requirements=$2
  shift 2
  cmp -s "$requirements" "$folder/requirements.txt" && return 0
  python_check
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements" "$@"
  cp "$requirements" "$folder/requirements.txt"
}
