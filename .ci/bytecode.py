#!/usr/bin/env python3
"""Compiles what an image's program loads, into PYTHONPYCACHEPREFIX: `bytecode.py PACKAGE...`.

Imports every module of the packages, so that a build fails where something is missing. Compiled are
all libraries, and of the standard library (whose bytecode the usual base images lack) what was
loaded. The bytecode is never compared with its source: in an image neither changes.
"""

import compileall
import importlib
import pkgutil
import py_compile
import sys
import sysconfig

MODE = py_compile.PycInvalidationMode.UNCHECKED_HASH


def main(packages: list[str]) -> int:
    for name in packages:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None) or ""
        if path.endswith(".py"):
            py_compile.compile(path, doraise=True, invalidation_mode=MODE)
    libraries = sysconfig.get_path("purelib")
    return 0 if compileall.compile_dir(libraries, quiet=1, invalidation_mode=MODE) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
