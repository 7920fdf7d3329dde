"""Old lines that a change touches, as `git diff -U0` tells."""

from whytree.engines.git.changed import changed_lines

PATCH = b"""diff --git a/app/form.py b/app/form.py
index 1..2 100644
--- a/app/form.py
+++ b/app/form.py
@@ -3 +3 @@ class SignUp:
-    phone = 1
+    phone = 2
@@ -7,2 +6,0 @@
--- a/not-a-file.py
-@@ -1 +1 @@
@@ -12,0 +10,3 @@
+one
+two
+three
\\ No newline at end of file
diff --git a/new name.py b/new name.py
--- a/old name.py\t
+++ b/new name.py\t
@@ -0,0 +1 @@
+first
diff --git "a/w\\303\\244.py" "b/w\\303\\244.py"
--- "a/w\\303\\244.py"
+++ /dev/null
@@ -1,4 +0,0 @@
-a
-b
-c
-d
Binary files a/x.png and b/x.png differ
"""


def test_old_lines_are_told_whatever_stands_in_them() -> None:
    assert changed_lines(PATCH) == {"app/form.py": [(3, 3), (7, 8), (12, 12)], "wä.py": [(1, 4)]}
    assert changed_lines(b"") == {}
