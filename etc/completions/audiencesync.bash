# bash completion of audiencesync; made by: audiencesync completion bash
_audiencesync_files() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  COMPREPLY=($(compgen "$1" -- "$current"))
}

_audiencesync() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "validate plan diff apply approve rollback suspend resume forget state status history explain members verify quarantine stages schema completion run-now lock daemon manifests retire serve-plans --help --version" -- "$current"))
    return
  fi
  case $command:$previous in
    validate:--config) _audiencesync_files -f; return ;;
    validate:--state) _audiencesync_files -d; return ;;
    validate:--socket) _audiencesync_files -f; return ;;
    plan:--sample) return ;;
    plan:--format) COMPREPLY=($(compgen -W "text json markdown" -- "$current")); return ;;
    plan:--out) _audiencesync_files -f; return ;;
    plan:--server) return ;;
    plan:--token-file) _audiencesync_files -f; return ;;
    plan:--config) _audiencesync_files -f; return ;;
    plan:--state) _audiencesync_files -d; return ;;
    plan:--socket) _audiencesync_files -f; return ;;
    diff:--from) _audiencesync_files -f; return ;;
    diff:--to) _audiencesync_files -f; return ;;
    diff:--out) _audiencesync_files -f; return ;;
    diff:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    diff:--config) _audiencesync_files -f; return ;;
    diff:--state) _audiencesync_files -d; return ;;
    diff:--socket) _audiencesync_files -f; return ;;
    apply:--plan) _audiencesync_files -f; return ;;
    apply:--format) COMPREPLY=($(compgen -W "text json markdown" -- "$current")); return ;;
    apply:--config) _audiencesync_files -f; return ;;
    apply:--state) _audiencesync_files -d; return ;;
    apply:--socket) _audiencesync_files -f; return ;;
    approve:--reason) return ;;
    approve:--config) _audiencesync_files -f; return ;;
    approve:--state) _audiencesync_files -d; return ;;
    approve:--socket) _audiencesync_files -f; return ;;
    rollback:--to) return ;;
    rollback:--reason) return ;;
    rollback:--manifest) _audiencesync_files -f; return ;;
    rollback:--format) COMPREPLY=($(compgen -W "text json markdown" -- "$current")); return ;;
    rollback:--config) _audiencesync_files -f; return ;;
    rollback:--state) _audiencesync_files -d; return ;;
    rollback:--socket) _audiencesync_files -f; return ;;
    suspend:--reason) return ;;
    suspend:--until) return ;;
    suspend:--config) _audiencesync_files -f; return ;;
    suspend:--state) _audiencesync_files -d; return ;;
    suspend:--socket) _audiencesync_files -f; return ;;
    resume:--reason) return ;;
    resume:--config) _audiencesync_files -f; return ;;
    resume:--state) _audiencesync_files -d; return ;;
    resume:--socket) _audiencesync_files -f; return ;;
    forget:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    forget:--config) _audiencesync_files -f; return ;;
    forget:--state) _audiencesync_files -d; return ;;
    forget:--socket) _audiencesync_files -f; return ;;
    state:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    state:--config) _audiencesync_files -f; return ;;
    state:--state) _audiencesync_files -d; return ;;
    state:--socket) _audiencesync_files -f; return ;;
    status:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    status:--config) _audiencesync_files -f; return ;;
    status:--state) _audiencesync_files -d; return ;;
    status:--socket) _audiencesync_files -f; return ;;
    history:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    history:--limit) return ;;
    history:--config) _audiencesync_files -f; return ;;
    history:--state) _audiencesync_files -d; return ;;
    history:--socket) _audiencesync_files -f; return ;;
    explain:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    explain:--config) _audiencesync_files -f; return ;;
    explain:--state) _audiencesync_files -d; return ;;
    explain:--socket) _audiencesync_files -f; return ;;
    members:--as-of) return ;;
    members:--format) COMPREPLY=($(compgen -W "ndjson csv parquet" -- "$current")); return ;;
    members:--out) _audiencesync_files -f; return ;;
    members:--config) _audiencesync_files -f; return ;;
    members:--state) _audiencesync_files -d; return ;;
    members:--socket) _audiencesync_files -f; return ;;
    verify:--rows) COMPREPLY=($(compgen -W "sample full" -- "$current")); return ;;
    verify:--seed) return ;;
    verify:--sample) return ;;
    verify:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    verify:--config) _audiencesync_files -f; return ;;
    verify:--state) _audiencesync_files -d; return ;;
    verify:--socket) _audiencesync_files -f; return ;;
    quarantine:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    quarantine:--config) _audiencesync_files -f; return ;;
    quarantine:--state) _audiencesync_files -d; return ;;
    quarantine:--socket) _audiencesync_files -f; return ;;
    stages:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    stages:--config) _audiencesync_files -f; return ;;
    stages:--state) _audiencesync_files -d; return ;;
    stages:--socket) _audiencesync_files -f; return ;;
    schema:--config) _audiencesync_files -f; return ;;
    schema:--state) _audiencesync_files -d; return ;;
    schema:--socket) _audiencesync_files -f; return ;;
    completion:--config) _audiencesync_files -f; return ;;
    completion:--state) _audiencesync_files -d; return ;;
    completion:--socket) _audiencesync_files -f; return ;;
    run-now:--config) _audiencesync_files -f; return ;;
    run-now:--state) _audiencesync_files -d; return ;;
    run-now:--socket) _audiencesync_files -f; return ;;
    lock:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    lock:--config) _audiencesync_files -f; return ;;
    lock:--state) _audiencesync_files -d; return ;;
    lock:--socket) _audiencesync_files -f; return ;;
    daemon:--config) _audiencesync_files -f; return ;;
    daemon:--state) _audiencesync_files -d; return ;;
    daemon:--socket) _audiencesync_files -f; return ;;
    manifests:--format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
    manifests:--config) _audiencesync_files -f; return ;;
    manifests:--state) _audiencesync_files -d; return ;;
    manifests:--socket) _audiencesync_files -f; return ;;
    retire:--reason) return ;;
    retire:--manifest) _audiencesync_files -f; return ;;
    retire:--format) COMPREPLY=($(compgen -W "text json markdown" -- "$current")); return ;;
    retire:--config) _audiencesync_files -f; return ;;
    retire:--state) _audiencesync_files -d; return ;;
    retire:--socket) _audiencesync_files -f; return ;;
    serve-plans:--config) _audiencesync_files -f; return ;;
    serve-plans:--state) _audiencesync_files -d; return ;;
    serve-plans:--socket) _audiencesync_files -f; return ;;
  esac
  case $command in
    validate)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--settings --config --state --socket --verbose --help" -- "$current"))
      else
        _audiencesync_files -f
      fi
      ;;
    plan)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--fresh --detailed-exitcode --sample --format --out --server --token-file --config --state --socket --verbose --help" -- "$current"))
      else
        _audiencesync_files -f
      fi
      ;;
    diff)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--from --to --out --stats --format --config --state --socket --verbose --help" -- "$current"))
      else
        _audiencesync_files -f
      fi
      ;;
    apply)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--auto-approve --no-refresh --plan --format --config --state --socket --verbose --help" -- "$current"))
      else
        _audiencesync_files -f
      fi
      ;;
    approve)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--reason --reject --config --state --socket --verbose --help" -- "$current"))
      else
        :
      fi
      ;;
    rollback)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--to --reason --dry-run --fresh --auto-approve --no-refresh --manifest --format --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    suspend)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--reason --until --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    resume)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--reason --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    forget)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--lift --format --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    state)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--take-over --format --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    status)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--format --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    history)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--format --limit --audit --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    explain)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--format --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    members)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--as-of --all --format --out --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    verify)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--rows --analytics --seed --sample --format --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    quarantine)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--format --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "list replay drop" -- "$current"))
      fi
      ;;
    stages)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--format --config --state --socket --verbose --help" -- "$current"))
      else
        :
      fi
      ;;
    schema)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "manifest settings plan" -- "$current"))
      fi
      ;;
    completion)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "bash zsh fish" -- "$current"))
      fi
      ;;
    run-now)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    lock)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--format --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "list break" -- "$current"))
      fi
      ;;
    daemon)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--config --state --socket --verbose --help" -- "$current"))
      else
        :
      fi
      ;;
    manifests)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--fetch --format --config --state --socket --verbose --help" -- "$current"))
      else
        :
      fi
      ;;
    retire)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--delete --dry-run --auto-approve --reason --manifest --format --config --state --socket --verbose --help" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')" -- "$current"))
      fi
      ;;
    serve-plans)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "--config --state --socket --verbose --help" -- "$current"))
      else
        :
      fi
      ;;
  esac
}

complete -F _audiencesync audiencesync
