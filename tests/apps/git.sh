# git: a repository with history, a local clone, a merge, gc, a bundle.
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
git init -q -b main origin
cd origin
for i in $(seq 12); do seq "$i" $((i * 50)) > "f$((i % 4))"; git add -A; git commit -qm "change $i"; done
git checkout -q -b side HEAD~3 && echo side > side && git add side && git commit -qm side
git checkout -q main && git merge -q -m merge side
[ "$(git log --oneline | wc -l)" = 14 ]
git gc -q && git fsck --strict
cd ..
git clone -q --no-local origin clone
[ "$(git -C clone rev-parse HEAD)" = "$(git -C origin rev-parse HEAD)" ]
git -C origin bundle create -q ../all.bundle --all && git clone -q all.bundle from-bundle
[ "$(git -C from-bundle show main:side)" = side ]
git -C clone grep -q 599 f0
[ -z "$(git -C clone status --porcelain)" ]
echo done
